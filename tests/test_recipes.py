"""The programs of docs/recipes run, and keep the word of their docstrings.

Every program has a check, named after it: here, or in recipes/libraries.py if it needs another library, which
only `make recipes` installs. A program without one fails.
"""

import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from recipes import libraries

FOLDER = Path(__file__).parent.parent / "docs" / "recipes"
PROGRAMS = {path.stem: path for path in sorted(FOLDER.glob("*.py"))}
RECIPES = {name: path for name, path in PROGRAMS.items() if name not in libraries.CHECKS}
MUON = json.loads((Path(__file__).parent / "trajectories" / "muon.json").read_text())


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"recipe_{name}", PROGRAMS[name])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_muon(result: dict[str, dict[str, float]]) -> None:
    assert min(run["test accuracy"] for run in result.values()) > 0.96
    assert result["Muon and AdamW"]["loss"] < result["AdamW"]["loss"]


def check_rates_per_array(result: dict[str, Any]) -> None:
    target = load("rates_per_array").TARGET
    np.testing.assert_allclose(result["by array"], target, rtol=1e-5)
    np.testing.assert_allclose(result["by element"], result["by array"], rtol=1e-12)
    assert abs(result["one rate"][2] - target[2]) > 4000


def check_loss_scaling(result: dict[str, dict[str, float]]) -> None:
    assert result["without"]["error"] > 1e-5
    assert result["without"]["skipped"] == 0
    assert result["with"]["error"] < 1e-10
    assert result["with"]["skipped"] > 0


def check_freezing(result: dict[str, Any]) -> None:
    assert result["frozen"] == ("fc1.w", "fc1.b")
    assert result["body kept"]
    assert result["counts"] == {"fc1.w": 0, "fc1.b": 0, "fc2.w": 50, "fc2.b": 50}
    assert result["counts at the end"] == {"fc1.w": 50, "fc1.b": 50, "fc2.w": 100, "fc2.b": 100}
    assert result["accuracy of all"] > result["accuracy of the head"] + 0.05


def check_averaging(result: dict[str, float]) -> None:
    assert result["error of the average"] < result["error of the last iterate"] / 2
    assert result["changed by the block"] == 0.0


def check_skipping(result: dict[str, Any]) -> None:
    assert (result["skipped"], result["updates"], result["finite"]) == (6, 38, True)
    assert result["log"][0] == "step 3 skipped: gradients are not finite: grads['w'] in 1 of 3 elements"


def check_from_torch(result: dict[str, Any]) -> None:
    assert (result["step_count"], result["same"]) == (100, True)
    assert "decoupled_weight_decay" in result["keys"]


def check_evolution_strategy(result: dict[str, float]) -> None:
    assert result["accuracy"] > 0.9
    assert result["first ratio"] > 0.5
    assert result["last ratio"] < 0.001


def check_policy_gradient(result: dict[str, list[float]]) -> None:
    lengths = result["lengths"]
    assert lengths[0] < 40
    assert np.mean(lengths[-10:]) > 190


def check_variational_inference(result: dict[str, float]) -> None:
    assert result["off by, in standard deviations"] < 0.1
    assert result["largest error of a standard deviation"] < 0.1


def check_federated_averaging(result: dict[str, list[float]]) -> None:
    assert min(result["momentum"][9], result["Adam"][9]) > result["averaging"][9] + 0.05
    assert min(curve[-1] for curve in result.values()) > 0.93


def check_mixed_precision(result: dict[str, float]) -> None:
    assert result["accuracy"] > 0.95
    assert 0 < result["skipped"] == result["calls"] - 400
    assert result["factor"] < 2.0**24
    assert result["share of lost updates"] > 0.5


def check_gradient_accumulation(result: dict[str, float]) -> None:
    assert (result["calls"], result["updates"], result["step_count"]) == (800, 100, 100)
    assert result["largest difference"] < 1e-12
    assert result["accuracy"] > 0.95


CHECKS: dict[str, Callable[[Any], None]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}


def test_every_recipe_has_a_check_and_every_check_a_recipe() -> None:
    assert sorted([*CHECKS, *libraries.CHECKS]) == sorted(PROGRAMS)


def test_the_index_lists_every_recipe_once() -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    assert sorted(re.findall(r"^\| \[(\w+)\.py\]\(\1\.py\)", text, flags=re.MULTILINE)) == sorted(PROGRAMS)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_keeps_its_word(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = load(name).main()
    assert capsys.readouterr().out
    CHECKS[name](result)


@pytest.mark.parametrize("number", range(len(MUON["cases"])))
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("bfloat16", 0.05)])
def test_muon_goes_torchs_way(number: int, dtype: str, tolerance: float) -> None:
    """To within rounding, of what one step of it moves an element at the most: its rate."""
    case = MUON["cases"][number]
    params = {name: np.array(p) for name, p in MUON["start"].items()}
    opt = load("muon").Muon(params, **case["options"])
    rate = case["options"].get("lr", 1e-3)
    for t, grads in enumerate(MUON["grads"], start=1):
        opt.step({name: np.array(g) for name, g in grads.items()})
        for name, p in params.items():
            np.testing.assert_allclose(p, case[dtype][t - 1][name], rtol=0, atol=tolerance * rate * t)


def test_muon_makes_matrices_nearly_orthogonal() -> None:
    random = np.random.default_rng(0)
    for shape in ((5, 5), (3, 8), (8, 3)):
        singular = np.linalg.svd(load("muon").orthogonal(random.normal(size=shape)), compute_uv=False)
        assert 0.5 < singular.min() <= singular.max() < 1.3
