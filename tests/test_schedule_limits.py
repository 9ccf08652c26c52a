"""How large a schedule may get: what is too deep or too much is refused as it is built, the rest works."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gradstep.feedback import LossScaled
from gradstep.schedules import Constant, Join, Product, Schedule
from processes import printed
from refusals import refuses


def doubled(s: Schedule, times: int, compose: Callable[[Schedule], Schedule]) -> Schedule:
    for _ in range(times):
        s = compose(s)
    return s


def squared(s: Schedule) -> Schedule:
    return s * s


def joined(s: Schedule) -> Schedule:
    return Join([s, s], [1])


def test_products_of_products_are_refused_before_they_take_for_ever() -> None:
    s = doubled(Constant(1.0), 8, squared)
    assert s(0) == 1.0
    with refuses(ValueError, "at most 1000 schedules may be evaluated for one t, got 1023"):
        doubled(s, 1, squared)
    with pytest.raises(ValueError, match="at most 1000 schedules"):
        doubled(Constant(1.0), 40, squared)


def test_of_joined_schedules_one_is_evaluated() -> None:
    assert Join([Constant(1.0)] * 5000, range(1, 5000))(7) == 1.0
    half = doubled(Constant(1.0), 8, squared)
    assert (Join([half, half], [1]).clip(0.0, 1.0) * 0.5)(0) == 0.5
    with refuses(ValueError, "at most 1000 schedules may be evaluated for one t, got 1024"):
        Product(half, Join([half, half], [1]))


def test_what_would_be_printed_for_ever_is_refused() -> None:
    s = doubled(Constant(1.0), 22, joined)
    assert s(0) == 1.0
    message = "at most 10000000 schedules may make up one, each counted as often as it occurs, got 16777215"
    with refuses(ValueError, message):
        doubled(s, 1, joined)


def test_an_error_shows_the_beginning_of_a_long_text() -> None:
    wants = "one of 'linear', 'cosine', 'exponential', 'sqrt'"
    with refuses(ValueError, f"shape must be {wants}, got '{'x' * 40}'"):
        Constant(1.0).warmup(3, shape="x" * 10**6)  # type: ignore[arg-type]


@pytest.mark.parametrize("feedback", [False, True])
def test_many_joined_schedules_are_no_quadratic_work(feedback: bool) -> None:
    parts: list[Schedule] = [
        LossScaled(Constant(1.0), 1.0) if feedback else Constant(1.0) for _ in range(50_000)
    ]
    s = Join(parts, range(1, len(parts)))
    s.observe(1.0)
    assert (s * 2.0)(49_999) == (1.0 if feedback else 2.0)


DEEPEST: dict[str, str] = {
    "clip": "s.clip(0.0, 2.0)",
    "left product": "s * one",
    "right product": "one * s",
    "warmup": "s.warmup(3, shape='cosine')",
    "then": "one.then(s, at=5)",
    "before": "s.then(one, at=20_000)",
    "shift": "s.shift(1)",
    "every": "s.every(2)",
    "repeat": "s.repeat(1000)",
    "feedback": "LossScaled(s, 1.0)",
}
SMALL_STACK = """
import copy, pickle, threading
import numpy as np
import gradstep as gs
from gradstep.feedback import LossScaled
from gradstep.schedules import Constant, Lambda

one = Constant(1.0)

def deepest(s):
    while True:
        try:
            s = COMPOSED
        except ValueError:
            return s

def in_a_small_stack():
    s, equal = deepest(one), deepest(one)
    few, many = np.arange(1000), np.arange(300_000)
    assert s(7) == s(few)[7] == s(many)[7] == deepest(Lambda(lambda t: 1.0))(few)[7]
    assert s == equal and hash(s) == hash(equal) and repr(s) == repr(equal)
    assert len(repr(gs.SGD(np.ones(1), lr=s))) < 4000
    assert pickle.loads(pickle.dumps(s)) == s
    adaptive = deepest(LossScaled(one, 1.0))
    assert copy.deepcopy(adaptive) == pickle.loads(pickle.dumps(adaptive)) == adaptive
    s._horizon()
    del s, equal, adaptive
    done.append(True)

done = []
gs.set_num_threads(2)
threading.stack_size(128 * 1024)
thread = threading.Thread(target=in_a_small_stack)
thread.start()
thread.join()
print(done)
"""


@pytest.mark.not_sanitized
@pytest.mark.parametrize("name", DEEPEST)
def test_the_deepest_compositions_fit_into_a_small_stack(name: str) -> None:
    assert printed(SMALL_STACK.replace("COMPOSED", DEEPEST[name])) == "[True]"
