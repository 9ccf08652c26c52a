from typing import Any, final

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

class Optimizer:
    def __new__(cls, *_args: Any, **_options: Any) -> Optimizer: ...
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
    def step(self, grads: Any, /) -> None: ...
    step_count: int
    lr: Any
    @property
    def grad_norm(self) -> float | None: ...
    @property
    def state(self) -> dict[str, dict[str, Any]]: ...
