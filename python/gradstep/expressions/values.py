"""From the parts of a parsed expression to values: what is allowed, and nothing else."""

from __future__ import annotations

import ast
import difflib
import inspect
import math
import operator
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from gradstep import feedback, schedules
from gradstep.expressions.mistakes import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Callable

Value: TypeAlias = "schedules.Schedule | bool | int | float | str | list[Value] | tuple[Value, ...] | None"

NOT_WRITTEN = ("Feedback", "Lambda", "Schedule", "layerwise", "like")
"""The base classes, what takes a Python function, and what is no class."""
CLASSES: dict[str, type[schedules.Schedule]] = {
    name: getattr(module, name)
    for module in (schedules, feedback)
    for name in module.__all__
    if name not in NOT_WRITTEN
}
METHODS = ("then", "warmup", "cooldown", "clip", "every", "stride", "shift", "repeat")
CLASS_METHODS = {"Exponential": ("with_rate",)}
CONSTANTS = (bool, int, float, str, type(None))
ARITHMETIC: dict[type[ast.operator], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
OF_SCHEDULES = (ast.Add, ast.Mult, ast.Pow)

NOTATIONS: dict[type[ast.expr], str] = {
    ast.BoolOp: "and/or",
    ast.Compare: "a comparison",
    ast.GeneratorExp: "a comprehension",
    ast.IfExp: "if/else",
    ast.JoinedStr: "an f-string",
    ast.ListComp: "a comprehension",
    ast.Starred: "*",
    ast.Subscript: "an index",
}
"""How errors call what is not allowed."""

MAX_DEPTH = 150
"""Brackets within brackets; schedules themselves nest at most 64 deep, and each may need two."""
MAX_INTEGER = 2**64
"""No step and no size is as large; larger ones would only cost time."""


class Builder:
    """Makes values of the parts of a parsed expression, and says where it cannot.

    Args:
        text: the expression that the parts are of.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = 0

    def mistake(
        self, node: ast.expr | ast.keyword, reason: str, column: int | None = None
    ) -> ExpressionError:
        """Make the error for a mistake at the start of a part, or at a column."""
        return ExpressionError(reason, self.text, node.col_offset if column is None else column)

    def schedule(self, node: ast.expr) -> schedules.Schedule:
        """Make the schedule that a whole expression stands for."""
        value = self.value(node)
        if isinstance(value, schedules.Schedule):
            return value
        hint = f"; write Constant({value})" if is_number(value) else ""
        raise self.mistake(node, f"expected a schedule, got {kind(value)}{hint}")

    def value(self, node: ast.expr) -> Value:
        """Make the value of any part."""
        self.depth += 1
        try:
            if self.depth > MAX_DEPTH:
                raise self.mistake(node, f"the expression is nested more than {MAX_DEPTH} deep")
            match node:
                case ast.Constant(value):
                    return self.constant(node, value)
                case ast.List(items):
                    return [self.value(item) for item in items]
                case ast.Tuple(items):
                    return tuple(self.value(item) for item in items)
                case ast.UnaryOp(ast.USub() | ast.UAdd() as sign, operand):
                    return self.signed(node, sign, self.value(operand))
                case ast.BinOp(left, sign, right) if type(sign) in ARITHMETIC:
                    return self.combined(node, self.value(left), sign, self.value(right))
                case ast.Call():
                    return self.call(node)
                case ast.Name(name):
                    self.name(node)
                    raise self.mistake(node, f"expected arguments: {signature(name)}")
                case ast.Attribute(attr=name):
                    raise self.mistake(
                        node, f"expected a call such as .warmup(100), got .{brief(name)}", attribute(node)
                    )
                case _:
                    raise self.mistake(
                        node, f"{NOTATIONS.get(type(node), 'this notation')} is not allowed in a schedule"
                    )
        finally:
            self.depth -= 1

    def constant(self, node: ast.expr, value: object) -> Value:
        """Check the value of a literal."""
        if not isinstance(value, CONSTANTS):
            raise self.mistake(node, f"{type(value).__name__} is not allowed in a schedule")
        return self.bounded(node, value) if is_number(value) else value

    def bounded(self, node: ast.expr, value: float) -> float:
        """Check that a number is finite, and small if it is whole."""
        if not isinstance(value, (int, float)):
            raise self.mistake(node, "the result is not a real number")
        if (abs(value) > MAX_INTEGER) if isinstance(value, int) else not math.isfinite(value):
            raise self.mistake(node, "the number is too large")
        return value

    def signed(self, node: ast.expr, sign: ast.unaryop, value: Value) -> float:
        """Put a sign before a number."""
        if not is_number(value):
            hint = "; multiply by -1" if isinstance(value, schedules.Schedule) else ""
            raise self.mistake(node, f"a sign needs a number, got {kind(value)}{hint}")
        return -value if isinstance(sign, ast.USub) else value

    def combined(self, node: ast.BinOp, left: Value, sign: ast.operator, right: Value) -> Value:
        """Add or multiply schedules or raise one to a power, or calculate with numbers."""
        if is_number(left) and is_number(right):
            integers = isinstance(left, int) and isinstance(right, int)
            if isinstance(sign, ast.Pow) and integers and abs(left) > 1 and right > 64:
                # Both are limited by now, but the power could fill the memory.
                raise self.mistake(node, "the number is too large")
            try:
                return self.bounded(node, ARITHMETIC[type(sign)](left, right))
            except ZeroDivisionError:
                raise self.mistake(node.right, "division by zero") from None
            except OverflowError:
                raise self.mistake(node, "the number is too large") from None
        pair = (left, right)
        if any(isinstance(value, schedules.Schedule) for value in pair):
            fits = all(isinstance(value, schedules.Schedule) or is_number(value) for value in pair)
            if fits and isinstance(sign, ast.Pow):
                fits = is_number(right)
            if fits and isinstance(sign, OF_SCHEDULES):
                return self.made(node, ARITHMETIC[type(sign)], list(pair), {})
            raise self.mistake(
                node,
                "schedules are only multiplied by or added to numbers or schedules, or raised to a number",
            )
        wrong = node.right if is_number(left) else node.left
        raise self.mistake(wrong, f"expected a number, got {kind(right if is_number(left) else left)}")

    def call(self, node: ast.Call) -> Value:
        """Call a class or a composition of the lists above."""
        function = self.function(node.func)
        positional = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                raise self.mistake(argument, "* before an argument is not allowed in a schedule")
            positional.append(self.value(argument))
        named: dict[str, Value] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise self.mistake(keyword, "** before an argument is not allowed in a schedule")
            if keyword.arg in named:
                raise self.mistake(keyword, f"argument {brief(keyword.arg)!r} is given twice")
            named[keyword.arg] = self.value(keyword.value)
        return self.made(node, function, positional, named)

    def function(self, node: ast.expr) -> Callable[..., Value]:
        """Look up what is called."""
        match node:
            case ast.Name():
                return self.name(node)
            case ast.Attribute(ast.Name() as owner, method) if method in CLASS_METHODS.get(owner.id, ()):
                return getattr(CLASSES[owner.id], method)  # type: ignore[no-any-return]
            case ast.Attribute(value, method):
                if method not in METHODS:
                    reason = f"a schedule has no {brief(method)!r} here; expected one of {', '.join(METHODS)}"
                    raise self.mistake(node, reason, attribute(node))
                return getattr(self.schedule(value), method)  # type: ignore[no-any-return]
            case _:
                raise self.mistake(node, "expected the name of a schedule before the parenthesis")

    def name(self, node: ast.Name) -> type[schedules.Schedule]:
        """Look up a schedule by its name."""
        if node.id in CLASSES:
            return CLASSES[node.id]
        if node.id == "Lambda":
            raise self.mistake(node, "Lambda takes a Python function, which an expression does not have")
        known = {name.lower(): name for name in CLASSES}
        near = difflib.get_close_matches(node.id[:40].lower(), known, n=1)
        hint = f"; did you mean {known[near[0]]}?" if near else f"; known are {', '.join(sorted(CLASSES))}"
        raise self.mistake(node, f"unknown schedule {brief(node.id)!r}{hint}")

    def made(
        self, node: ast.expr, function: Callable[..., Value], positional: list[Value], named: dict[str, Value]
    ) -> Value:
        """Call, and say where if the arguments are refused."""
        try:
            return function(*positional, **named)
        except (TypeError, ValueError, OverflowError) as error:
            reason = str(error).replace(".__new__()", "()").replace("Schedule.", "")
            start = node.col_offset
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                start = attribute(node.func)
            raise self.mistake(node, brief(reason, 300), start) from None


def attribute(node: ast.Attribute) -> int:
    """Give the column of an attribute's name, which is the last of its part."""
    return (node.end_col_offset or 0) - len(node.attr)


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether a value is a number; True and False are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def kind(value: object) -> str:
    """Say what a value is, for an error."""
    if value is None or isinstance(value, bool):
        return repr(value)
    if is_number(value):
        return f"the number {value!r}"
    return f"the text {brief(value)!r}" if isinstance(value, str) else f"a {type(value).__name__}"


def signature(name: str) -> str:
    """Give a schedule's name and arguments, without their types."""
    parameters = inspect.signature(CLASSES[name]).parameters.values()
    return f"{name}({', '.join(str(one.replace(annotation=one.empty)) for one in parameters)})"


def brief(text: str, length: int = 40) -> str:
    """Shorten a text for an error."""
    return text if len(text) <= length else text[: length - 3] + "..."
