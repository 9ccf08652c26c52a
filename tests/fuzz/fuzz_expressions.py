"""Any text, read as a schedule and as a hyperparameter of a state dict."""

from __future__ import annotations

from collections.abc import Iterator

from gradstep.checkpoints import texts
from gradstep.expressions import ExpressionError, parse
from gradstep.expressions.text import MAX_LENGTH
from gradstep.schedules import Schedule
from schedule_cases import CASES


def seeds() -> Iterator[bytes]:
    """Every kind of schedule, and what else hyperparameters are."""
    for case in CASES.values():
        yield repr(case.schedule).encode()
    for text in ("(None, 2.0)", "'skip'", "-inf", "True", "0.5 * Constant(1).warmup(9)", "Constant(9**99**9)"):
        yield text.encode()


def check(data: bytes) -> str:
    """There is a schedule whose `repr` says all of it, or an error that says where the mistake is."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        value = texts.read(text)
    except ValueError:
        pass
    else:
        again = texts.write(value)
        # A NaN is unlike itself; no hyperparameter may be one.
        assert again is not None and (value != value or texts.read(again) == value), text
    try:
        schedule = parse(text)
    except ExpressionError as error:
        assert 0 <= error.column <= len(error.text) <= MAX_LENGTH + 1, text
        assert str(error).count("\n") == 2, text
        return "refused"
    again = repr(schedule)
    assert isinstance(schedule, Schedule)
    if len(again) <= MAX_LENGTH:
        assert parse(again) == schedule, text
    for t in (0, 1, 10**6, 2**63 - 1):
        assert isinstance(schedule(t), float), text
    return "schedules"
