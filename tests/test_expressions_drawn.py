"""The expression parser on drawn texts: it never runs anything, never crashes and never takes long."""

from __future__ import annotations

import ast
import time

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradstep.expressions import ExpressionError, parse, text, values
from gradstep.schedules import Schedule

SECONDS = 2.0
"""Nothing takes as long; the slowest takes some milliseconds."""


def parses_or_refuses(expression: str) -> None:
    """Whatever the text, there is a schedule or an ExpressionError with a place, and soon."""
    start = time.perf_counter()
    schedule = error = None
    try:
        schedule = parse(expression)
    except ExpressionError as refusal:
        error = refusal
    assert time.perf_counter() - start < SECONDS
    if error is not None:
        assert 0 <= error.column <= len(error.text) <= text.MAX_LENGTH + 1
        assert str(error).count("\n") == 2
        assert str(error).endswith("^")
    else:
        assert isinstance(schedule, Schedule)
        assert parse(repr(schedule)) == schedule


@given(st.text(max_size=200))
@example("\x00")
@example("\ud800")
@example("0x1or 2")
@example("Constant(1)\\")
def test_any_text(expression: str) -> None:
    parses_or_refuses(expression)


WORDS = [
    *sorted(values.CLASSES), *values.METHODS, "with_rate", "__class__", "__globals__", "Lambda", "eval", "x",
    "(", ")", "[", "]", ",", ".", "=", "*", "**", "+", "-", "/", " ", "'a'", '"', "f'", "0", "1",
    "0.1", "1e9", "10**10", "None", "True", "lambda", "for", "in", "if", "else", "not", "await",
    "start=", "steps=", "@",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=60).map("".join))
def test_any_words(expression: str) -> None:
    parses_or_refuses(expression)


constants = st.sampled_from(
    ["0", "1", "3", "-2", "0.5", "1e-3", "10**18", "9**99", "None", "True", "'cosine'", "[1, 2]"]
)
names = st.sampled_from(
    [*sorted(values.CLASSES), "Exponential.with_rate", "Lambda", "print", "type", "__import__"]
)
attributes = st.sampled_from(
    [*values.METHODS, "params", "plot", "__class__", "__init__", "__reduce__", "format"]
)


def arguments(child: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    named = st.tuples(st.sampled_from(["start", "steps", "end", "at", "**", "*", "self"]), child).map(
        lambda pair: f"{pair[0]}{'' if '*' in pair[0] else '='}{pair[1]}"
    )
    return st.lists(child | child | named, max_size=3).map(", ".join)


def grown(child: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(names, arguments(child)).map(lambda pair: f"{pair[0]}({pair[1]})"),
        st.tuples(child, attributes, arguments(child)).map(lambda part: f"{part[0]}.{part[1]}({part[2]})"),
        st.tuples(child, attributes).map(".".join),
        st.tuples(
            child, st.sampled_from(["*", "**", "+", "-", "/", "//", "%", "@", " or ", "=="]), child
        ).map("".join),
        st.lists(child, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        child.map(lambda one: f"-({one})"),
        child.map(lambda one: f"[{one} for x in {one}]"),
        child.map(lambda one: f"f'{{{one}}}'"),
        child.map(lambda one: f"(lambda: {one})()"),
    )


schedules_as_text = st.recursive(
    st.sampled_from(["Constant(0.1)", "Cosine(0.1, 10)", "Table([1, 2])"]) | constants, grown, max_leaves=25
)  # fmt: skip


@settings(max_examples=500)
@given(schedules_as_text)
def test_any_expression(expression: str) -> None:
    parses_or_refuses(expression)


ALLOWED_NODES = (
    ast.Expression, ast.Call, ast.Name, ast.Attribute, ast.Constant, ast.List, ast.Tuple, ast.keyword,
    ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop, ast.Load,
)  # fmt: skip


@settings(max_examples=500)
@given(schedules_as_text)
def test_what_is_accepted_holds_nothing_else(expression: str) -> None:
    """The whitelist once more, as a check of the tree and not while building."""
    try:
        parse(expression)
    except ExpressionError:
        return
    for node in ast.walk(ast.parse(expression, mode="eval")):
        assert isinstance(node, ALLOWED_NODES)
        if isinstance(node, ast.Name):
            assert node.id in values.CLASSES
        if isinstance(node, ast.Attribute):
            assert node.attr in {*values.METHODS, "with_rate"}


@given(
    base=st.integers(-(2**70), 2**70) | st.floats(),
    power=st.integers(-(2**70), 2**70) | st.floats(),
    sign=st.sampled_from(["**", "*", "/", "+", "-"]),
)
def test_arithmetic_is_bounded(base: float, power: float, sign: str) -> None:
    expression = f"Constant(({base!r}) {sign} ({power!r}))".replace("inf", "1e999").replace("nan", "1e999")
    start = time.perf_counter()
    try:
        made: float | None = parse(expression)(0)
    except ExpressionError:
        made = None
    assert time.perf_counter() - start < SECONDS
    if made is not None:
        # What is accepted is small, so that Python itself may calculate it.
        assert made == float(eval(f"({base!r}) {sign} ({power!r})"))
