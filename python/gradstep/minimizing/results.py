"""What a minimization comes to: SciPy's result, or its like."""

from __future__ import annotations

from typing import Any

CONVERGED, STEPS, NONFINITE, STOPPED = 0, 1, 3, 99
"""The statuses, numbered as by SciPy's BFGS and its callbacks."""


class Result(dict[str, Any]):
    """A dict whose keys are attributes too, as of SciPy's ``OptimizeResult``.

    Example:
        >>> from gradstep.minimizing.results import Result
        >>> Result(fun=0.5).fun
        0.5
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the result has no {name!r}; it has {', '.join(self)}") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        return "\n".join(f"{name:>{width}}: {value!r}" for name, value in self.items())


def result(**fields: Any) -> Any:
    """Make SciPy's ``OptimizeResult`` where SciPy is installed, otherwise a `Result` of the same fields."""
    try:
        from scipy.optimize import OptimizeResult
    except ImportError:
        return Result(fields)
    return OptimizeResult(fields)
