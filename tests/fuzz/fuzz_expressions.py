"""Any text, read as a schedule and as a hyperparameter of a state dict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from gradstep.checkpoints import texts
from gradstep.expressions import ExpressionError, parse
from gradstep.expressions.text import MAX_LENGTH
from gradstep.expressions.values import CLASSES, METHODS
from gradstep.schedules import Schedule
from schedule_cases import CASES

KINDS = [
    [*CLASSES, "Exponential.with_rate", "Lambda", "eval"],
    [f".{method}" for method in (*METHODS, "params", "__class__")],
    ["0", "1", "0.1", "-1", "1e9", "1e999", "10", "9999999999", "10**99", "None", "True", "'linear'",
     "inf", "[1, 2]", "Constant(1)"],
    ["steps", "end", "start", "at", "every"],
    list("()[],=*+-/' "),
]  # fmt: skip
"""Words that may well stand in each other's place."""


def mutate(data: bytes, longest: int, seed: int) -> bytes:
    """Put other words into a text, or those of another place of it: of bytes, few would stay expressions."""
    random = Random(seed)
    words = re.findall(r"\.\w+|[\w.]+|.", data.decode("utf-8", "replace"), flags=re.DOTALL)
    for _ in range(random.choice((1, 1, 2, 4))):
        i, j = (random.randint(0, len(words)) for _ in range(2))
        alike = next((kind for kind in KINDS if words[i : i + 1] and words[i] in kind), KINDS[2])
        match random.randrange(5):
            case 0 | 1:
                words[i : i + 1] = [random.choice(alike)]
            case 2:
                words[i:i] = words[j : j + random.randint(1, 12)]
            case 3:
                words[i:i] = [random.choice(random.choice(KINDS))]
            case _:
                del words[i : i + random.randint(1, 3)]
    return "".join(words).encode("utf-8", "replace")[:longest]


def seeds() -> Iterator[bytes]:
    """Every kind of schedule, and what else hyperparameters are."""
    for case in CASES.values():
        yield repr(case.schedule).encode()
    for text in (
        "(None, 2.0)",
        "'skip'",
        "-inf",
        "True",
        "0.5 * Constant(1).warmup(9)",
        "Constant(9**99**9)",
    ):
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
