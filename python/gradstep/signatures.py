"""The functions of `gradstep.functional`, written from the signatures of the classes."""

from __future__ import annotations

import inspect
import math
import textwrap
from typing import TYPE_CHECKING, Any

from gradstep import _core, optimizers

if TYPE_CHECKING:
    from collections.abc import Callable

#: The names of the functions, and of their classes.
RULES = {name.lower(): name for name in optimizers.__all__ if name != "Optimizer"}


class Signature:
    """The function of one rule, as Python and type checkers want it written."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.optimizer: type[optimizers.Optimizer] = getattr(optimizers, RULES[name])
        self.update = _core.Update(self.optimizer.rule, self.optimizer.decoupled_weight_decay)
        self.options = {
            parameter.name: parameter.default
            for parameter in inspect.signature(self.optimizer).parameters.values()
            if parameter.default is not parameter.empty and parameter.name != "params"
        }
        self.slots = self.slots_with({})
        on = {name: turned_on(value) for name, value in self.options.items()}
        # All options together first: where they go together, they tell the order.
        others = [self.slots_with(on), *(self.slots_with({name: value}) for name, value in on.items())]
        self.optional = list(
            dict.fromkeys(slot for slots in others for slot in slots if slot not in self.slots)
        )

    def slots_with(self, options: dict[str, Any]) -> list[str]:
        """Name the state arrays with these options, none where they do not go together."""
        options = self.options | options
        try:
            return self.update.slots(tuple(options[name] for name in self.update.names))
        except ValueError:
            return []

    def function(self, module: str) -> Callable[..., None]:
        """Make the function, as one of that module."""
        scope: dict[str, Any] = {"update": self.update, "__name__": module}
        # Annotations stay text: they name types that only a type checker imports.
        exec(f"from __future__ import annotations\n{self.header()}\n    {self.call()}", scope)
        function: Callable[..., None] = scope[self.name]
        function.__doc__ = self.documentation()
        return function

    def header(self) -> str:
        """Write the first line."""
        arrays = ["p: Floats", "g: Floats | float", *(f"{slot}: Floats" for slot in self.slots)]
        if len(self.optional) == 1:
            arrays += [f"{self.optional[0]}: Floats | None = None", "/", "*"]
        else:
            arrays += ["/", "*more: Floats" if self.optional else "*"]
        options = [f"{name}: {annotation(value)} = {written(value)}" for name, value in self.options.items()]
        arguments = [
            *arrays,
            "step: int",
            *options,
            "out: Floats | None = None",
            "rows: Indices | None = None",
        ]
        return f"def {self.name}({', '.join(arguments)}) -> None:"

    def call(self) -> str:
        """Write the body."""
        state = "".join(f"{slot}, " for slot in self.slots)
        given = f"({state}*more)" if len(self.optional) > 1 else f"({state})"
        if len(self.optional) == 1:
            given = f"{given} if {self.optional[0]} is None else ({state}{self.optional[0]},)"
        return f"update(p, g, {given}, step, ({', '.join(self.update.names)},), out, rows)"

    def documentation(self) -> str:
        """Write the docstring."""
        state = ""
        if self.slots or self.optional:
            arrays = ", ".join([*self.slots, *self.optional])
            state = f"""
        {arrays}:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise."""
        if "scalars" in self.slots:
            state += """
            scalars, a float64 array with one axis, has what the attribute of the class has. At step 0 it
            is set to what the class starts from."""
        if self.optional:
            state += f"""
            Only with the options that want it: {", ".join(self.optional)}."""
        rule = f"gradstep.{self.optimizer.__name__}"
        return f"""Update one array and its state in place, by the rule of `{rule}`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.{state}
        step: the number of updates done before this one; 0 at the first.
{self.options_in_lines()}
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

    def options_in_lines(self) -> str:
        """Write the names of all options, an entry for each line of them."""
        meaning = "as of the class, with its defaults. A schedule is evaluated at step."
        lines = textwrap.wrap(", ".join(self.options), 96)
        return "\n".join(f"        {line.removesuffix(',')}:\n            {meaning}" for line in lines)


def turned_on(default: object) -> object:
    """Give a value of an option that has all that goes with it."""
    if isinstance(default, bool | str):
        return True if default is False else default
    return 0.5


def written(default: object) -> str:
    """Write a default as Python reads it."""
    return 'float("inf")' if default == math.inf else repr(default)


def annotation(default: object) -> str:
    """Name the type of an option with that default."""
    if default is None:
        return "Rate | None"
    return {bool: "bool", str: "str"}.get(type(default), "Rate")


def stub() -> str:
    """Write functional.pyi."""
    rules = [Signature(name) for name in sorted(RULES)]
    functions = [f'{rule.header()}\n    """{rule.documentation()}"""\n' for rule in rules]
    head = f"""# Written by `make stubs`.

from gradstep.types import Floats, Indices, Rate

__all__ = {sorted(RULES)!r}
"""
    return "\n".join([head, *functions])
