"""The update rules as in-place functions, for people who keep their own state.

There is one function for each optimizer class, in lower case: `sgd`, `adagrad`, `rmsprop`, `adam`,
`adamw`. Each is called as

    gs.functional.adam(p, g, exp_avg, exp_avg_sq, step=t, lr=1e-3, beta1=0.9)

with the parameter, its gradient and its state arrays in the order that the class documents (`sgd` with
``momentum=0`` has none), then by keyword ``step``, the number of updates done before this one (0 at the
first), and the hyperparameters of the class with the class's defaults. ``p`` and the state arrays are
updated in place; all have the shape, dtype and memory order of ``p``.

Example:
    >>> import numpy as np
    >>> from gradstep import functional
    >>> p, exp_avg, exp_avg_sq = np.ones(2), np.zeros(2), np.zeros(2)
    >>> functional.adam(p, np.array([3.0, -3.0]), exp_avg, exp_avg_sq, step=0, lr=0.25)
    >>> p.round(6)
    array([0.75, 1.25])
"""

# A function is its class's signature once more: it is written by code, when somebody first asks for it. So is
# functional.pyi, for type checkers and editors; `make stubs` writes that anew.

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from gradstep import _core, optimizers

if TYPE_CHECKING:
    from collections.abc import Callable

_RULES = {name.lower(): name for name in optimizers.__all__ if name != "Optimizer"}
__all__ = sorted(_RULES)


def __getattr__(name: str) -> Callable[..., None]:
    if name not in _RULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    rule = _Rule(name)
    scope: dict[str, Any] = {"update": rule.update, "__name__": __name__}
    # Annotations stay text: they name types that only a type checker imports.
    exec(f"from __future__ import annotations\n{rule.header()}\n    {rule.call()}", scope)
    function: Callable[..., None] = scope[name]
    function.__doc__ = rule.documentation()
    globals()[name] = function
    return function


def __dir__() -> list[str]:
    return [*globals(), *__all__]


class _Rule:
    """What is written of one rule."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.optimizer: type[optimizers.Optimizer] = getattr(optimizers, _RULES[name])
        self.update = _core.Update(self.optimizer.rule, self.optimizer.decoupled_weight_decay)
        self.options = {
            parameter.name: parameter.default
            for parameter in inspect.signature(self.optimizer).parameters.values()
            if parameter.default is not parameter.empty
        }
        self.slots = self.slots_with({})
        others = [self.slots_with({name: True if value is False else 0.5}) for name, value in self.options.items()]
        self.optional = list(dict.fromkeys(slot for slots in others for slot in slots if slot not in self.slots))

    def slots_with(self, options: dict[str, Any]) -> list[str]:
        """Name the state arrays with these options, none where they do not go together."""
        options = self.options | options
        try:
            return self.update.slots(tuple(options[name] for name in self.update.names))
        except ValueError:
            return []

    def header(self) -> str:
        """Write the first line."""
        arrays = ["p: Floats", "g: Floats | float", *(f"{slot}: Floats" for slot in self.slots)]
        if len(self.optional) == 1:
            arrays += [f"{self.optional[0]}: Floats | None = None", "/", "*"]
        else:
            arrays += ["/", "*more: Floats" if self.optional else "*"]
        options = [
            f"{name}: {'bool' if isinstance(value, bool) else 'Rate'} = {value!r}"
            for name, value in self.options.items()
        ]
        return f"def {self.name}({', '.join([*arrays, 'step: int', *options])}) -> None:"

    def call(self) -> str:
        """Write the body."""
        state = "".join(f"{slot}, " for slot in self.slots)
        given = f"({state}*more)" if len(self.optional) > 1 else f"({state})"
        if len(self.optional) == 1:
            given = f"{given} if {self.optional[0]} is None else ({state}{self.optional[0]},)"
        return f"update(p, g, {given}, step, ({', '.join(self.update.names)},))"

    def documentation(self) -> str:
        """Write the docstring."""
        more = ""
        if self.optional:
            more = f"""
        {self.optional[0] if len(self.optional) == 1 else "more"}: {", then ".join(self.optional)}: with the options that
            want it only."""
        return f"""Update one array and its state in place, by the rule of `gradstep.{self.optimizer.__name__}`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        {", ".join(self.slots) or "(no state)"}: the state, of the shape, dtype and memory order of p. Before the first
            update the arrays hold what the class starts from: zeros, as a rule.{more}
        step: the number of updates done before this one; 0 at the first.
        {", ".join(self.options)}: as of the class; the defaults are the class's.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """


def _stub() -> str:
    """Write functional.pyi."""
    rules = [_Rule(name) for name in __all__]
    functions = [f'{rule.header()}\n    """{rule.documentation()}"""\n' for rule in rules]
    head = f'''"""Written by `make stubs`."""

from gradstep.types import Floats, Rate

__all__ = {__all__!r}
'''
    return "\n".join([head, *functions])
