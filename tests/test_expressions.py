"""The expression parser: what it makes, what it refuses, where its caret points, and how long it takes."""

from __future__ import annotations

import builtins
import inspect
import time
from typing import Any

import pytest

import gradstep as gs
from gradstep import feedback, schedules
from gradstep.expressions import ExpressionError, parse, text, values
from gradstep.schedules import (
    Constant,
    Cosine,
    Cyclic,
    Exponential,
    Join,
    Linear,
    MultiStep,
    Piecewise,
    Schedule,
    Table,
)
from schedule_cases import CASES

SECONDS = 2.0
"""Nothing takes as long; the slowest takes some milliseconds."""


@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if "Lambda" not in repr(case.schedule)]
)
def test_every_repr_makes_an_equal_schedule(name: str) -> None:
    schedule = CASES[name].schedule
    assert parse(repr(schedule)) == schedule
    assert repr(parse(repr(schedule))) == repr(schedule)


def test_every_class_is_tried() -> None:
    tried = " ".join(repr(case.schedule) for case in CASES.values())
    assert {f"{name}(" for name in values.CLASSES if not hasattr(feedback, name)} <= {
        f"{name}(" for name in schedules.__all__ if f"{name}(" in tried
    }


@pytest.mark.parametrize(
    "schedule",
    [
        feedback.Plateau(Cosine(0.1, 100), patience=3, mode="max").warmup(10),
        feedback.LossScaled(Constant(0.1), 0.5) * 0.5,
        feedback.GradNormScaled(Constant(0.1), 0.5, compound=True, on_nonfinite="ignore"),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_feedback(schedule: Schedule) -> None:
    assert parse(repr(schedule)) == schedule


def test_the_deepest_schedule() -> None:
    schedule: Schedule = Constant(1.0)
    while True:
        try:
            schedule = Join([schedule], at=[])
        except ValueError:
            break
    assert repr(schedule).count("Join") == 63
    assert parse(repr(schedule)) == schedule


@pytest.mark.parametrize(
    ("expression", "schedule"),
    [
        ("Cosine(0.1, 1000).warmup(100)", Cosine(0.1, 1000).warmup(100)),
        ("Cosine(start=.1, steps=10**3)", Cosine(0.1, 1000)),
        ("0.5 * Cosine(0.1, 10) * 2", 0.5 * Cosine(0.1, 10) * 2),
        ("0.5 + Cosine(0.1, 10) ** 2 + Constant(1)", 0.5 + Cosine(0.1, 10) ** 2 + Constant(1.0)),
        ("Cosine(0.1, 100).stride(3).cooldown(30, 0.5)", Cosine(0.1, 100).stride(3).cooldown(30, 0.5)),
        ("Cosine(0.1, 10) * Linear(1, 0, 10)", Cosine(0.1, 10) * Linear(1, 0, 10)),
        ("Linear(-1e-1, +1, 2 * 3 + 4 - 1)", Linear(-0.1, 1, 9)),
        ("Linear(1 / 4, 2 ** -1, 0x10)", Linear(0.25, 0.5, 16)),
        ("Constant(-(-2.5) ** 2)", Constant(-6.25)),
        ("Exponential.with_rate(1.0, rate=0.1).every(3)", Exponential.with_rate(1.0, rate=0.1).every(3)),
        ("Exponential(1, .5).warmup(3)", Exponential(1, 0.5).warmup(3)),
        (
            "Constant(1).then(Constant(2), at=5).shift(2).repeat(9)",
            Constant(1).then(Constant(2), 5).shift(2).repeat(9),
        ),
        ("Cyclic(0, 1, 5, None, 'exp_range', gamma=0.9)", Cyclic(0, 1, 5, None, "exp_range", 0.9)),
        (
            'Cosine(1, 5, periodic=True).warmup(3, shape="cosine")',
            Cosine(1, 5, periodic=True).warmup(3, shape="cosine"),
        ),
        ("MultiStep(1, [10, 20], .1)", MultiStep(1, [10, 20], 0.1)),
        ("Piecewise((10,), (1, .1)).clip(low=.2, high=1)", Piecewise([10], [1, 0.1]).clip(0.2, 1)),
        ("Join([Constant(1), Constant(2)], at=(3,))", Join([Constant(1), Constant(2)], at=[3])),
        ("\n  Cosine(\n\t0.1,\r\n 10,\n)  \n", Cosine(0.1, 10)),
        ("((Constant(1)))", Constant(1)),
    ],
)  # fmt: skip
def test_expressions(expression: str, schedule: Schedule) -> None:
    assert parse(expression) == schedule


def at(expression: str) -> tuple[str, int]:
    """Take the mark ^ out of an expression, and give what is left and where it was: before a character."""
    return expression.replace("^", "", 1), expression.index("^")


ONLY = "schedules are only multiplied by or added to numbers or schedules, or raised to a number"
REFUSED = [
    # Names and calls.
    ("^cosine(1, 2)", "unknown schedule 'cosine'; did you mean Cosine?"),
    ("Cosine(1, 2) * ^LinearDecay(1)", "unknown schedule 'LinearDecay'"),
    ("gs.^Cosine", "expected a call such as .warmup(100), got .Cosine"),
    ("^exec('1')", "unknown schedule 'exec'; known are Clip, Constant, "),
    ("^__import__('os')", "unknown schedule '__import__'; known are Clip, "),
    ("^Schedule('Constant', 1)", "unknown schedule 'Schedule'"),
    ("^Feedback('Constant', 1)", "unknown schedule 'Feedback'"),
    ("^Lambda(abs)", "Lambda takes a Python function, which an expression does not have"),
    ("^Cosine", "expected arguments: Cosine(start, steps, end=0.0, periodic=False)"),
    ("^Cosine.warmup(3)", "expected arguments: Cosine(start, steps, end=0.0, periodic=False)"),
    ("Cosine.^with_rate(1, 2)", "a schedule has no 'with_rate' here; expected one of then, "),
    ("Exponential(1, .1).^with_rate(1, 2)", "a schedule has no 'with_rate' here"),
    ("Exponential.^mro()", "a schedule has no 'mro' here"),
    ("Constant(1).^plot(10)", "a schedule has no 'plot' here"),
    ("Constant(1).^__class__", "expected a call such as .warmup(100), got .__class__"),
    ("Constant(1).^__reduce__()", "a schedule has no '__reduce__' here"),
    ("Constant(1).warmup.^__globals__", "expected a call such as .warmup(100), got .__globals__"),
    ("Constant(1).^params", "expected a call such as .warmup(100), got .params"),
    ("Constant('a'.^join('b'))", "a schedule has no 'join' here"),
    ("Constant(^'a'.clip(0, 1))", "expected a schedule, got the text 'a'"),
    ("^Constant(1)(2)", "expected the name of a schedule before the parenthesis"),
    ("^Constant(1).clip(0, 1)(2)", "expected the name of a schedule before the parenthesis"),
    # Notation.
    ("^().__class__.__bases__[0]", "an index is not allowed in a schedule"),
    ("Table(^[x for x in y])", "a comprehension is not allowed in a schedule"),
    ("^f'a'", "an f-string is not allowed in a schedule"),
    ("Constant(^b'a')", "bytes is not allowed in a schedule"),
    ("Constant(^2j)", "complex is not allowed in a schedule"),
    ("Constant(^...)", "ellipsis is not allowed in a schedule"),
    ("Constant(^1 if 1 else 2)", "if/else is not allowed in a schedule"),
    ("^Constant(1) or Constant(2)", "and/or is not allowed in a schedule"),
    ("Constant(^not 1)", "this notation is not allowed in a schedule"),
    ("Constant(^7 // 2)", "this notation is not allowed in a schedule"),
    ("Constant(^await x)", "this notation is not allowed in a schedule"),
    ("Table([^*'ab'])", "* is not allowed in a schedule"),
    ("Cosine(^*[1, 2])", "* before an argument is not allowed in a schedule"),
    ("Cosine(1, ^**'a')", "** before an argument is not allowed in a schedule"),
    ("Cosine(1, 2, end=1, ^end=2)", "argument 'end' is given twice"),
    # Arithmetic.
    ("^1", "expected a schedule, got the number 1; write Constant(1)"),
    ("^'a'", "expected a schedule, got the text 'a'"),
    ("^[Constant(1)]", "expected a schedule, got a list"),
    ("^None", "expected a schedule, got None"),
    ("^-Constant(1)", "a sign needs a number, got a Constant"),
    ("^Constant(1) - 1", ONLY),
    ("^Constant(1) * 'a'", ONLY),
    ("^2 ** Constant(1)", ONLY),
    ("^Constant(1) + True", ONLY),
    ("^Constant(1) ** -1", "exponent must be finite and above 0, got -1.0"),
    ("Table(^[1] * 3)", "expected a number, got a list"),
    ("Table(9 * ^[1])", "expected a number, got a list"),
    ("Constant(9**9 * ^'a')", "expected a number, got the text 'a'"),
    ("Constant(^True + 1)", "expected a number, got True"),
    ("Constant(^-True)", "a sign needs a number, got True"),
    ("Constant(1 / ^0)", "division by zero"),
    ("Constant(0.0 ** ^-1)", "division by zero"),
    ("Constant(^(-8) ** .5)", "the result is not a real number"),
    ("Constant(^10**10**10)", "the number is too large"),
    ("Constant(^2**64 * 2)", "the number is too large"),
    ("Constant(^9.0**999)", "the number is too large"),
    ("Constant(^1e999)", "the number is too large"),
    ("Constant(^1e300*1e300)", "the number is too large"),
    ("Constant(^" + "9" * 30 + ")", "the number is too large"),
    ("Constant(^" + "9" * 5000 + ")", "the number is too large"),
    ("Constant(^0x" + "f" * 5000 + ")", "the number is too large"),
    # What a schedule says of its arguments.
    ("^Cosine(0.1, 0).warmup(3)", "steps must be at least 1, got 0"),
    ("Cosine(0.1, 9).warmup(3).^clip(2, 1).every(2)", "high must be at least low = 2.0, got 1.0"),
    ("0.5 * ^Constant(None)", "value must be a number, got None"),
    ("^Cosine(1)", "Cosine() missing 1 required positional argument: 'steps'"),
    ("^Cosine(1, 2, foo=3)", "Cosine() got an unexpected keyword argument 'foo'"),
    ("Constant(1).^warmup()", "warmup() missing 1 required positional argument: 'steps'"),
    ("^Constant(1, self=3)", "Constant() got an unexpected keyword argument 'self'"),
    ("^Constant(cls=3, value=1)", "Constant() got multiple values for argument 'cls'"),
    ("Exponential.^with_rate(1, 'a')", "rate must be a number, got str"),
    ("Constant(1).^then(3, at=1)", "schedules[1] must be a schedule, got int"),
    # What is no expression at all.
    ("^", "expected a schedule such as Cosine(0.1, 1000), got nothing"),
    ("Constant^(1", "'(' was never closed"),
    ("Constant(1)^)", "unmatched ')'"),
    ("Cosine(^0.1 100)", "invalid syntax. Perhaps you forgot a comma?"),
    ("Constant(1) ^Constant(2)", "invalid syntax"),
    ("Constant(1) *^", "invalid syntax"),
    ("Constant(^'a)", "unterminated string literal"),
    ("x ^:= 1", "unexpected character ':'"),
    ("Table(^{1, 2})", "unexpected character '{'"),
    ("Constant(1)^; Constant(2)", "unexpected character ';'"),
    ("Constant(^\u22121)", "unexpected character '\\u2212'"),
    ("Constant(^\x001)", "unexpected character '\\x00'"),
    ("Constant('^\ud800')", "unexpected character '\\ud800'"),
    ("C^\u00f3sine(1, 2)", "unexpected character '\\xf3'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("marked", "reason"),
    REFUSED,
    ids=[marked[:40].encode("ascii", "replace").decode() for marked, _ in REFUSED],
)
def test_refusals_say_what_and_where(marked: str, reason: str) -> None:
    expression, column = at(marked)
    with pytest.raises(ExpressionError) as raised:
        parse(expression)
    error = raised.value
    assert error.reason.startswith(reason)
    assert error.column == column
    first, shown, caret = str(error).split("\n")
    assert first == error.reason
    assert len(error.reason) < 400
    # The caret is under the mistake also where a long expression is cut.
    place = caret.index("^")
    assert caret == " " * place + "^"
    here = expression[column : column + 1]
    assert shown[place : place + 1] == (here if here.isprintable() else "?")
    assert len(shown) <= 72 + 2 + 2 * len("...")


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 10_000,
        "[" * 151 + "]" * 151,
        "Constant(" * 151 + "1" + ")" * 151,
        "-" * 9_000 + "1",
        "+".join("1" * 9_000),
        "Constant(1)" + ".clip(0, 1)" * 1_500,
        "Constant(1)" + " * 1" * 3_000,
        "a" + ".b" * 9_000,
        "1 if 1 else " * 1_500 + "1",
        "not " * 4_000 + "1",
        "**-1" * 4_000,
        "Constant(x=" * 140 + "1 2" + ")" * 140,
    ],
    ids=lambda expression: expression[:12],
)
def test_deep_nesting_is_refused(expression: str) -> None:
    start = time.perf_counter()
    with pytest.raises(ExpressionError):
        parse(expression)
    assert time.perf_counter() - start < SECONDS


def test_long_expressions() -> None:
    schedule = Table([0.1 + i / 1000 for i in range(1000)])
    assert len(repr(schedule)) < text.MAX_LENGTH
    assert parse(repr(schedule)) == schedule
    with pytest.raises(ExpressionError, match=r"the expression is longer than 20,000 characters") as raised:
        parse("Constant(" + "1" + " " * 10**8 + ")")
    assert len(str(raised.value)) < 300
    with pytest.raises(ExpressionError, match="longer"):
        parse("x" * 20_001)


def test_a_deep_stack_is_no_excuse_for_a_crash() -> None:
    def deeper(depth: int) -> None:
        if depth:
            deeper(depth - 1)
        else:
            parse("Constant(1)" + ".clip(0, 1)" * 60)

    frames = len(inspect.stack(0))
    with pytest.raises(ExpressionError, match="too deeply nested"):
        deeper(1000 - frames - 60)


@pytest.mark.parametrize("value", [None, 3, b"Constant(1)", Constant(1)])
def test_only_text_is_parsed(value: Any) -> None:
    with pytest.raises(TypeError, match=f"text must be a string, got {type(value).__name__}"):
        parse(value)


def test_no_name_of_python_is_known() -> None:
    for name in {*dir(builtins), *dir(gs), *vars(values), *vars(schedules)} - set(values.CLASSES):
        for expression in (name, f"{name}()", f"{name}(1)"):
            with pytest.raises(ExpressionError):
                parse(expression)


def test_no_attribute_but_the_compositions() -> None:
    for name in {*dir(Constant(1)), *dir(Exponential), "__builtins__"} - set(values.METHODS):
        for owner in ("Constant(1)", "Exponential", "Constant", "'a'", "(1)", "[]"):
            for call in ("", "()", "(1)"):
                if (owner, name) != ("Exponential", "with_rate"):
                    with pytest.raises(ExpressionError):
                        parse(f"{owner}.{name}{call}")
