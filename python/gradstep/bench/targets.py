"""What gradstep must reach, and whether a run did."""

from collections.abc import Iterator
from dataclasses import dataclass

from gradstep.bench import rows
from gradstep.bench.contenders import TITLES
from gradstep.bench.results import Render, Results
from gradstep.bench.rules import RULES
from gradstep.bench.steps import FLOOR

# numba with its default options: the targets were set by what that does.
FASTEST = ("numpy", "numpy-out", "torch-fused", "numba", "numba-parallel")
COMPILED = ("torch-fused", "numba", "numba-parallel")
TO_MEMORY = ("adam", "momentum", "adagrad", "adamw")
"""The rules that memory bounds on large models in every good implementation."""


@dataclass(frozen=True)
class Target:
    """A ratio to reach.

    Attributes:
        case: a rule's key, or a schedule row's.
        workload: a workload's key, or "schedules".
        against: contenders' keys, of which the fastest counts; or the floor, and its bandwidth counts.
        at_least: the least ratio that passes.
        aim: what one hopes for beyond.
    """

    case: str
    workload: str
    against: tuple[str, ...]
    at_least: float
    aim: float | None = None


TARGETS = (
    Target("adam", "policy", FASTEST, 8, aim=10),
    Target("adam", "tensor", FASTEST, 5),
    *(Target(rule, "policy", ("numpy",), 8) for rule in RULES),
    Target("adam", "mlp", COMPILED, 2, aim=3),
    # Parity at the memory's speed; the rest is what two runs of the same code differ by.
    *(Target(rule, "resnet50", ("torch-fused",), 0.97, aim=1) for rule in TO_MEMORY),
    *(Target(rule, "resnet50", (FLOOR,), 0.95) for rule in TO_MEMORY),
    Target("rmsprop", "resnet50", ("torch-foreach",), 2),
    Target("adam-clip", "resnet50", ("torch-fused",), 1.3),
    *(Target(rule, "resnet50", ("numpy",), 2 if rule == "sgd" else 4) for rule in RULES),
    Target("scalar", "schedules", ("torch",), 25),
    Target("array", "schedules", ("numpy",), 6),
    Target("adam-rows", "rows", ("numpy",), 3),
    # At most 1.3 times the time of a kernel that does less.
    Target("adam-rows", "rows", ("numba-parallel",), 1 / 1.3),
    Target("adam-rows", "rows", ("dense",), 50),
    Target("sgd-rows", "rows", ("numpy",), 3),
)


@dataclass(frozen=True)
class Verdict:
    """A target and what a run says to it.

    Attributes:
        opponent: the fastest of those the target names, or None if none of them ran.
        measured: the ratio to it.
    """

    target: Target
    opponent: str | None
    measured: float | None

    @property
    def missed(self) -> bool:
        """Whether it was measured and is too low."""
        # `not >=` also catches NaN.
        return self.measured is not None and not self.measured >= self.target.at_least

    @property
    def word(self) -> str:
        """The verdict."""
        if self.measured is None:
            return "–"
        return "MISSED" if self.missed else "OK"


def judge(results: Results) -> Iterator[Verdict]:
    """Compare a run with every target."""
    for target in TARGETS:
        ratios = {
            name: ratio
            for name in target.against
            if (ratio := results.against(target.case, target.workload, name)) is not None
        }
        opponent = min(ratios, key=lambda name: ratios[name], default=None)
        yield Verdict(target, opponent, None if opponent is None else ratios[opponent])


def table(verdicts: list[Verdict], render: Render) -> str:
    """Lay the verdicts out."""
    head = ("rule", "on", "against the fastest of", "at least", "aim", "measured", "")
    lines = []
    for verdict in verdicts:
        target = verdict.target
        titles = OTHER_TITLES.get(target.workload, STEP_TITLES)
        opponent = titles[verdict.opponent] if verdict.opponent else "none installed"
        lines.append(
            (
                target.case,
                target.workload,
                opponent if len(target.against) == 1 else f"{len(target.against)}: {opponent}",
                f"{target.at_least:.3g}×",
                f"{target.aim:g}×" if target.aim else "",
                f"{verdict.measured:.2f}×" if verdict.measured is not None else "",
                verdict.word,
            )
        )
    return render(head, lines, left=3)


STEP_TITLES = {**TITLES, FLOOR: "floor, bandwidth"}
OTHER_TITLES = {"schedules": {"numpy": "NumPy, vectorised", "torch": "torch"}, "rows": rows.TITLES}
