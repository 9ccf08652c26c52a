"""How time is taken: everybody in every round, in one process, and compared round by round.

A machine's speed drifts, with its clock, its neighbours and its temperature. What runs within the same
second sees the same machine, so the ratio of two times is taken in each round, and of these the median.
The order rotates, so that nobody always follows the same neighbour.
"""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median

SETTLE_SECONDS = 0.01
"""The pause before every measurement. After a parallel region, the workers of libgomp (torch's, numba's)
spin before they sleep: 3 to 8.7 ms of a core were measured after a step of torch or numba. That core would be
missing to whoever comes next; it made gradstep's step look 1.4 times slower after torch's."""

SAMPLE_SECONDS = 200e-6
"""What one measurement takes at least; shorter calls are repeated in it."""

MOST_REPEATS = 10_000


class Samples:
    """Seconds a call, by name, in the order of the rounds.

    Attributes:
        seconds: of the calls.
        before: of what went before each of them, if anything did.
    """

    def __init__(
        self, seconds: Mapping[str, list[float]], before: Mapping[str, list[float]] | None = None
    ) -> None:
        self.seconds, self.before = dict(seconds), dict(before or {})

    def __contains__(self, name: object) -> bool:
        return name in self.seconds

    def median(self, name: str) -> float:
        """Return the median time of one call, in seconds."""
        return median(self.seconds[name])

    def ratio(self, name: str, to: str) -> float:
        """Return how many times the time of `to` the time of `name` is: the median of the rounds' ratios.

        Example:
            >>> Samples({"slow": [4.0, 9.0, 2.0], "fast": [1.0, 3.0, 1.0]}).ratio("slow", to="fast")
            3.0
        """
        pairs = zip(self.seconds[name], self.seconds[to], strict=True)
        return median(numerator / denominator for numerator, denominator in pairs)

    def share(self, name: str) -> float:
        """Return the share of a loop that a call has, what goes before being the rest: the rounds' median.

        Example:
            >>> Samples({"step": [1.0, 1.0, 2.0]}, before={"step": [3.0, 9.0, 6.0]}).share("step")
            0.25
        """
        pairs = zip(self.seconds[name], self.before[name], strict=True)
        return median(call / (call + before) for call, before in pairs)


def race(
    calls: Mapping[str, Callable[[], object]],
    rounds: int,
    *,
    before: Mapping[str, Callable[[], object]] | None = None,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> Samples:
    """Time every call in every round.

    Before each measurement the machine settles, and then the call itself runs once untimed: caches, clocks
    and threads are in the state in which a training loop would have them.

    Args:
        calls: what to time, by name.
        rounds: how many samples to take of each.
        before: what to run before each call, the repeated ones too, by the same names; timed apart.
        clock: the time in seconds.
        sleep: waits so many seconds.
    """
    names = list(calls)
    samples = Samples({name: [] for name in names}, {name: [] for name in before or ()})
    with no_garbage_collection():
        repeats = {name: _repeats(call, clock) for name, call in calls.items()}
        for i in range(rounds):
            first = i % len(names)
            for name in names[first:] + names[:first]:
                sleep(SETTLE_SECONDS)
                if before is None:
                    calls[name]()
                    samples.seconds[name].append(_time(calls[name], repeats[name], clock))
                else:
                    _time_pair(before[name], calls[name], 1, clock)
                    times = _time_pair(before[name], calls[name], repeats[name], clock)
                    samples.before[name].append(times[0])
                    samples.seconds[name].append(times[1])
    return samples


def _time(call: Callable[[], object], repeats: int, clock: Callable[[], float]) -> float:
    """Return the seconds of one call, of so many in a row."""
    begin = clock()
    for _ in range(repeats):
        call()
    return (clock() - begin) / repeats


def _time_pair(
    before: Callable[[], object], call: Callable[[], object], repeats: int, clock: Callable[[], float]
) -> tuple[float, float]:
    """Return the seconds of what goes before and of the call, of so many of both in turns."""
    seconds_before = seconds = 0.0
    for _ in range(repeats):
        begin = clock()
        before()
        middle = clock()
        call()
        seconds += clock() - middle
        seconds_before += middle - begin
    return seconds_before / repeats, seconds / repeats


def _repeats(call: Callable[[], object], clock: Callable[[], float]) -> int:
    """Find how often a call fits into a sample, from a few after the first, which may compile or allocate."""
    call()
    fastest = min(_time(call, 1, clock) for _ in range(3))
    return max(1, min(MOST_REPEATS, round(SAMPLE_SECONDS / max(fastest, 1e-9) + 0.5)))


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Keep the cyclic garbage collector out of a ``with`` block."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
