"""What the recipes with other libraries have to come to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def check_autograd_network(result: dict[str, float]) -> None:
    assert result["accuracy"] > 0.95
    assert result["largest difference"] < 1e-10


def check_sklearn_classifier(result: dict[str, Any]) -> None:
    theirs, ours = result["losses"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert ours[-1] < ours[0] / 5
    assert result["accuracy by AdamW on a schedule"] > 0.92


def check_scipy_noise(result: dict[str, float]) -> None:
    assert result["Adam"] < 1.05 * result["least"]
    assert result["L-BFGS-B"] > 2 * result["least"]
    assert (result["smallest within bounds"], result["largest within bounds"]) == (0.0, 2.0)


def check_jax_gradients(result: dict[str, Any]) -> None:
    assert result["difference to gradients by hand"] < 1e-6
    assert result["copied"] is False
    assert result["last loss"] < 0.1 < 1 < result["first loss"]
    assert result["accuracy"] > 0.95


def check_thinc_registry(result: dict[str, float]) -> None:
    assert result["largest difference"] < 2e-3
    assert result["accuracy"] > 0.95


def check_flower_strategy(result: dict[str, float]) -> None:
    assert result["largest difference"] < 1e-4
    assert result["FedAdam"] > result["FedAvg"] > 0.8
    assert result["gradstep, AdaBelief"] > 0.9


CHECKS: dict[str, Callable[[Any], None]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}
