"""What rules take and give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
State: TypeAlias = dict[str, Array]
Memory: TypeAlias = dict[str, float]
Rule: TypeAlias = Callable[..., tuple[Array, State]]
