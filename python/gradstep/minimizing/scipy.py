"""gradstep's rules as methods of SciPy."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

from gradstep.minimizing.descent import minimize
from gradstep.optimizers import Adam

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradstep.optimizers import Optimizer


def scipy_method(rule: Callable[..., Optimizer] = Adam, **options: Any) -> Callable[..., Any]:
    """Make a method for ``scipy.optimize.minimize(..., method=...)``, and what else takes one.

    Args:
        rule: as of `gradstep.minimize`.
        options: the same: ``lr``, ``steps``, ``gtol``, ``xtol``, and those of the rule. SciPy's ``options``
            go before them, where ``maxiter`` is ``steps``; its ``tol``, ``bounds`` and ``callback`` are used.

    Returns:
        A function that SciPy calls; it pickles if ``rule`` and ``options`` do. Constraints are a ValueError,
        as is no ``jac``: a rule needs gradients. Hessians are not used, with a RuntimeWarning.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> method = gs.scipy_method(gs.Adam, lr=0.05)
        >>> from scipy.optimize import minimize, rosen, rosen_der  # doctest: +SKIP
        >>> minimize(rosen, [-1.2, 1.0], jac=rosen_der, method=method)  # doctest: +SKIP
    """
    return partial(descend, rule=rule, given=options)


def descend(
    fun: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...] = (),
    *,
    rule: Callable[..., Optimizer],
    given: dict[str, Any],
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    callback: Callable[..., object] | None = None,
    maxiter: int | None = None,
    disp: bool = False,
    **options: Any,
) -> Any:
    """Minimize, called as SciPy calls its methods."""
    if constraints is not None and constraints != ():
        raise ValueError("constraints cannot be met by a rule such as gs.Adam; bounds can")
    if not callable(jac):
        raise ValueError(f"jac must be True or a function of the gradients, got {jac!r}")
    if hess is not None or hessp is not None:
        warnings.warn("a rule such as gs.Adam does not use Hessians", RuntimeWarning, stacklevel=3)
    if maxiter is not None:
        options["steps"] = maxiter
    found = minimize(
        fun, x0, args, jac=jac, rule=rule, bounds=bounds, callback=callback, **{**given, **options}
    )
    if disp:
        print(f"{found.message} (fun: {found.fun:.6g}, steps: {found.nit})")
    return found
