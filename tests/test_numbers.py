"""One taste in numbers: what is read anywhere is a number everywhere, and what is refused is named alike."""

# What the types forbid is what this file passes.
# mypy: disable-error-code="arg-type"

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest

import gradstep as gs
from gradstep.schedules import Constant, Lambda, Linear, MultiStep, Table
from refusals import refuses


class Half:
    """A number of another library."""

    def __float__(self) -> float:
        return 0.5


class Three:
    """An integer of another library."""

    def __index__(self) -> int:
        return 3


class Broken:
    """Nothing that can be read."""

    def __float__(self) -> float:
        raise ZeroDivisionError("no number")

    __index__ = __float__


class OfAnotherDtype(Half):
    """Has a dtype that is not NumPy's, as a torch tensor does."""

    dtype = "float32"


def recorded(value: Any) -> float:
    history = gs.History()
    history.record(loss=value)
    return float(history.series("loss")[1][0])


def observed(value: Any) -> float | None:
    schedule = gs.feedback.LossScaled(Constant(1.0), beta=1.0)
    schedule.observe(value)
    return schedule.state["loss"]  # type: ignore[no-any-return]


def restored(value: Any) -> float | None:
    schedule = gs.feedback.LossScaled(Constant(1.0), beta=1.0)
    schedule.state = {"loss": value}
    return schedule.state["loss"]  # type: ignore[no-any-return]


def stepped(value: Any) -> float | None:
    schedule = gs.feedback.LossScaled(Constant(1.0), beta=1.0)
    gs.SGD(np.ones(1), lr=schedule).step(np.ones(1), loss=value)
    return schedule.state["loss"]  # type: ignore[no-any-return]


def best(value: Any) -> float | None:
    stopping = gs.EarlyStopping(1)
    stopping.update(value)
    return stopping.best


def counted(value: Any) -> int:
    opt = gs.SGD(np.ones(1))
    opt.step_count = value
    return opt.step_count


def threads(value: Any) -> int:
    with gs.num_threads(value):
        return gs.get_num_threads()


class Reader(NamedTuple):
    name: str
    """What an error calls the number."""
    wants: str
    """What it says that it must be."""
    read: Callable[[Any], Any]


REAL = [
    Reader("value", "a number", lambda x: Constant(x).params["value"]),
    Reader("values[1]", "a number", lambda x: Table([1.0, x])(1)),
    Reader("values[1500]", "a number", lambda x: Table([1.0] * 1500 + [x])(1500)),
    Reader("function(7)", "a number", lambda x: Lambda(lambda _: x)(7)),
    Reader("lr", "a float or a schedule", lambda x: gs.SGD(np.ones(1), lr=x).lr),
    Reader("clip_norm", "a float or a schedule", lambda x: gs.SGD(np.ones(1), clip_norm=x) and float(x)),
    Reader("loss", "a number", recorded),
    Reader("loss", "a number", observed),
    Reader("loss", "a number", stepped),
    Reader("state['loss']", "a number", restored),
    Reader("value", "a number", best),
]
INTEGER = [
    Reader("steps", "an integer", lambda x: Linear(1.0, 0.0, x).params["steps"]),
    Reader("milestones[0]", "an integer", lambda x: MultiStep(1.0, [x], 0.5).params["milestones"][0]),
    Reader("t", "an integer or an integer array", lambda x: Lambda(float)(x)),
    Reader("step_count", "an integer", counted),
    Reader("num_threads", "an integer", threads),
]


def readers(of: list[Reader]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("reader", of, ids=[f"{i}: {reader.name}" for i, reader in enumerate(of)])


reals, integers = readers(REAL), readers(INTEGER)


@reals
@pytest.mark.parametrize(
    "number",
    [
        0.5,
        np.float32(0.5),
        np.float64(0.5),
        np.longdouble(0.5),
        np.float16(0.5),
        np.array(0.5),
        np.array(0.5, "f4"),
        np.array(0.5, ">f8"),
        np.ones(3)[1:2].reshape(()) / 2,
        Fraction(1, 2),
        Decimal("0.5"),
        Half(),
        OfAnotherDtype(),
    ],
    ids=lambda number: type(number).__name__,
)
def test_a_number(reader: Reader, number: Any) -> None:
    got = reader.read(number)
    assert (type(got), got) == (float, 0.5)


@readers(REAL + INTEGER)
@pytest.mark.parametrize(
    "number",
    [3, np.int8(3), np.uint64(3), np.array(3), np.array(3, ">u2"), Three()],
    ids=lambda number: type(number).__name__,
)
def test_an_integer_is_a_number_too(reader: Reader, number: Any) -> None:
    if reader.name == "t" and isinstance(number, np.ndarray):
        number = int(number)  # An array gives an array.
    assert reader.read(number) == 3


NO_NUMBERS: list[tuple[Any, str]] = [
    (True, "bool"),
    (np.True_, type(np.True_).__name__),
    (np.array(True), "a 0-d array of bool"),
    (0.5j, "complex"),
    (np.complex64(0.5), "complex64"),
    (np.array(0.5j), "a 0-d array of complex128"),
    ("0.5", "str"),
    (b"1", "bytes"),
    (np.str_("1"), "str_"),
    (np.bytes_(b"1"), "bytes_"),
    (np.array("1"), "a 0-d array of <U1"),
    (np.array(1, object), "a 0-d array of object"),
    (np.void(b"1"), "void"),
    (np.timedelta64(1), "timedelta64"),
    (np.datetime64(1, "s"), "datetime64"),
    (np.ma.masked, "a masked array"),
    (np.ma.array(1.0), "a masked array"),
    (np.ones(1), "an array of shape (1,)"),
    (np.ones((1, 1), int), "an array of shape (1, 1)"),
    ([1], "list"),
    (None, "None"),
    (int, "type"),
]
no_numbers = pytest.mark.parametrize(("bad", "kind"), NO_NUMBERS, ids=[kind for _, kind in NO_NUMBERS])


@reals
@no_numbers
def test_no_number(reader: Reader, bad: Any, kind: str) -> None:
    if bad is None and (reader.name == "clip_norm" or reader.read in (recorded, stepped)):
        return  # None is nothing there.
    if isinstance(bad, (bool, np.bool_)) and reader.read in (recorded, best):
        return  # A metric may be whether a test was passed.
    hint = (
        "; gs.schedules.Lambda makes one of a function" if bad is int and "schedule" in reader.wants else ""
    )
    with refuses(TypeError, f"{reader.name} must be {reader.wants}, got {kind}{hint}"):
        reader.read(bad)


@integers
@no_numbers
def test_no_integer(reader: Reader, bad: Any, kind: str) -> None:
    if reader.name == "t" and isinstance(bad, np.ndarray):
        return  # Arrays of steps have tests of their own.
    with refuses(TypeError, f"{reader.name} must be {reader.wants}, got {kind}"):
        reader.read(bad)


@integers
@pytest.mark.parametrize("bad", [0.5, 1.0, np.float64(1), Half(), Fraction(1), Decimal(1)], ids=repr)
def test_floats_are_no_integers(reader: Reader, bad: Any) -> None:
    with refuses(TypeError, f"{reader.name} must be {reader.wants}, got {type(bad).__name__}"):
        reader.read(bad)


@reals
def test_too_large_for_a_float(reader: Reader) -> None:
    for bad, shown in [(10**400, "an integer of 1329 bits"), (Fraction(10**400), "Fraction")]:
        with refuses(ValueError, f"{reader.name} must fit into a float, got {shown}"):
            reader.read(bad)


@integers
def test_too_large_for_a_count(reader: Reader) -> None:
    for bad, range_, shown in [
        (2**63, "below 2**63", str(2**63)),
        (2**100, "below 2**63", str(2**100)),
        (10**5000, "below 2**63", "an integer of 16610 bits"),
        (-(2**64), "at least 0", str(-(2**64))),
        (-(10**5000), "at least 0", "an integer of 16610 bits"),
    ]:
        with refuses(ValueError, f"{reader.name} must be {range_}, got {shown}"):
            reader.read(bad)


@reals
def test_what_reading_a_number_raises_is_passed_on(reader: Reader) -> None:
    with pytest.raises(ZeroDivisionError, match="no number"):
        reader.read(Broken())


@integers
def test_what_reading_an_integer_raises_is_passed_on(reader: Reader) -> None:
    with pytest.raises(ZeroDivisionError, match="no number"):
        reader.read(Broken())
