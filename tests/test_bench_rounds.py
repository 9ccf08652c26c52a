"""How the benchmark takes time, and what it computes of it."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from gradstep.bench.rounds import SAMPLE_SECONDS, SETTLE_SECONDS, Samples, race
from gradstep.bench.rules import RULES
from gradstep.bench.steps import FLOOR, StepTimes
from gradstep.bench.workloads import WORKLOADS


class FakeTime:
    """A clock that only goes on where somebody works or sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[str] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.calls.append(f"sleep {seconds}")

    def work(self, name: str, seconds: float) -> Callable[[], object]:
        def call() -> None:
            self.now += seconds
            self.calls.append(name)

        return call


def test_ratios_are_paired_within_a_round() -> None:
    # The machine was ten times slower in the second round, for both.
    samples = Samples({"a": [3.0, 30.0, 4.0], "b": [1.0, 10.0, 2.0]})
    assert samples.ratio("a", to="b") == 3.0
    assert samples.ratio("b", to="a") == 1 / 3
    assert samples.median("a") == 4.0
    assert "a" in samples
    assert "c" not in samples


def test_times_are_a_calls() -> None:
    time = FakeTime()
    calls = {"slow": time.work("slow", 1e-3), "fast": time.work("fast", 1e-6)}
    samples = race(calls, 5, clock=lambda: time.now, sleep=time.sleep)
    assert samples.seconds["slow"] == pytest.approx([1e-3] * 5)
    assert samples.seconds["fast"] == pytest.approx([1e-6] * 5)
    assert samples.ratio("slow", to="fast") == pytest.approx(1000)


def test_short_calls_are_repeated_long_enough() -> None:
    time = FakeTime()
    race({"short": time.work("short", 1e-6)}, 1, clock=lambda: time.now, sleep=time.sleep)
    last_pause = max(i for i, call in enumerate(time.calls) if call != "short")
    timed = len(time.calls) - last_pause - 2
    assert timed * 1e-6 >= SAMPLE_SECONDS


def test_everybody_pauses_warms_up_and_takes_turns() -> None:
    time = FakeTime()
    names = ["a", "b", "c"]
    race({name: time.work(name, 1.0) for name in names}, 4, clock=lambda: time.now, sleep=time.sleep)
    pause = f"sleep {SETTLE_SECONDS}"
    measured = time.calls[time.calls.index(pause) :]
    expected = [
        call for order in ("abc", "bca", "cab", "abc") for name in order for call in (pause, name, name)
    ]
    assert measured == expected


def test_what_goes_before_is_timed_apart() -> None:
    time = FakeTime()
    calls = {name: time.work(name, seconds) for name, seconds in (("a", 1e-3), ("b", 50e-6))}
    before = {name: time.work(f"before {name}", 3e-3) for name in calls}
    samples = race(calls, 3, before=before, clock=lambda: time.now, sleep=time.sleep)
    assert samples.seconds == {"a": pytest.approx([1e-3] * 3), "b": pytest.approx([50e-6] * 3)}
    assert samples.before == {name: pytest.approx([3e-3] * 3) for name in calls}
    assert samples.share("a") == pytest.approx(0.25)
    measured = time.calls[time.calls.index(f"sleep {SETTLE_SECONDS}") :]
    for call, next_call in pairwise(measured):
        assert (next_call in calls) == (call in {f"before {name}" for name in calls})


def synthetic(rule: str, workload: str, **seconds: float) -> StepTimes:
    samples = Samples({name.replace("_", "-"): [value] for name, value in seconds.items()})
    return StepTimes(WORKLOADS[workload], RULES[rule], samples)


def test_bandwidth() -> None:
    times = synthetic("adam", "resnet50", gradstep=0.02, floor=0.016)
    elements = WORKLOADS["resnet50"].elements
    assert times.bandwidth == pytest.approx(28 * elements / 0.02 / 1e9)
    assert times.attainable == pytest.approx(28 * elements / 0.016 / 1e9)
    assert times.achieved == times.against(FLOOR) == pytest.approx(0.8)


def test_clipping_may_read_the_gradients_twice() -> None:
    times = synthetic("adam-clip", "resnet50", gradstep=0.032, floor=0.028)
    assert times.achieved == pytest.approx(1.0)
    assert times.achieved == pytest.approx(times.bandwidth / times.attainable)


def test_who_did_not_run_has_no_ratio() -> None:
    assert synthetic("adam", "policy", gradstep=1.0).against("numba") is None
