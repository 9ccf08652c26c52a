"""The two ways in which gradstep.torch looks at tensors."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gradstep.torch import engine, tensors


@pytest.fixture(params=["native", "by any version of torch"])
def look(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors are looked at natively; and without what versions of torch before 2.10 have not got."""
    if request.param != "native":
        monkeypatch.setattr(engine, "EXCHANGE", None)
    else:
        assert tensors.EXCHANGE is not None


def parameter(*shape: int, dtype: Any = torch.float32) -> Any:
    return torch.nn.Parameter(torch.ones(*shape, dtype=dtype))
