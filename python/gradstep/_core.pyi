"""The compiled core. Private: use the classes and functions of `gradstep`."""

from typing import Any, Self, overload

import numpy as np
from numpy.typing import NDArray
from typing_extensions import disjoint_base

__all__ = [
    "Optimizer",
    "Schedule",
    "__version__",
    "get_num_threads",
    "limit",
    "set_num_threads",
    "simd_tier",
    "simd_tiers",
    "update",
]

__version__: str

def simd_tier() -> str: ...
def simd_tiers() -> list[str]: ...
def get_num_threads() -> int: ...
def set_num_threads(n: int) -> None: ...
def update(
    rule: str,
    p: Any,
    g: Any,
    state: tuple[Any, ...],
    /,
    *,
    step: int,
    decoupled_weight_decay: bool = False,
    **options: Any,
) -> None: ...
def limit(read: Any, written: list[Any], /) -> None: ...

@disjoint_base
class Optimizer:
    def __new__(cls, *_args: Any, **_options: Any) -> Self: ...
    def __init__(
        self,
        rule: str,
        params: Any,
        /,
        *,
        decoupled_weight_decay: bool = False,
        clip_norm: Any = None,
        clip_value: Any = None,
        **options: Any,
    ) -> None: ...
    def step(self, grads: Any, *, loss: Any = None) -> None: ...
    def observe(self, loss: Any) -> None: ...
    feedback_state: Any
    step_count: int
    lr: Any
    @property
    def grad_norm(self) -> float | None: ...
    @property
    def state(self) -> dict[str, dict[str, Any]]: ...

@disjoint_base
class Schedule:
    def __new__(cls, kind: str, /, *arguments: object) -> Self: ...
    @overload
    def __call__(self, t: NDArray[np.integer], /) -> NDArray[np.float64]: ...
    @overload
    def __call__(self, t: int | np.integer, /) -> float: ...
    _state: dict[str, float]
    def _horizon(self) -> float | None: ...
    def observe(self, loss: float) -> None: ...
    @property
    def params(self) -> dict[str, Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]: ...
    def __setstate__(self, state: Any) -> None: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...
