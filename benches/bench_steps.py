"""One optimizer step: rule × workload × contender.

`.venv/bin/pytest benches --benchmark-enable` runs it, with `-k "adam and policy"` some of it, and with
`-m gpt2` GPT-2. To compare implementations prefer `gradstep bench`: here they do not take turns.
"""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from gradstep.bench.contenders import Contender, installed
from gradstep.bench.rules import RULES, Rule
from gradstep.bench.steps import floor_call, steps
from gradstep.bench.workloads import WORKLOADS, Workload

# Where a step stands in a training loop, pytest-benchmark would time the loop.
ALONE = [workload for workload in WORKLOADS.values() if workload.batch is None]


def marks(workload: Workload) -> list[pytest.MarkDecorator]:
    return [pytest.mark.gpt2] if workload.key == "gpt2" else []


@pytest.mark.parametrize(
    ("workload", "rule", "contender"),
    [
        pytest.param(
            workload,
            rule,
            contender,
            id=f"{rule.key}-{workload.key}-{contender.key}",
            marks=marks(workload),
        )
        for workload in ALONE
        for rule in RULES.values()
        for contender in installed().values()
        if rule.key in contender.steps
    ],
)
def test_step(benchmark: BenchmarkFixture, workload: Workload, rule: Rule, contender: Contender) -> None:
    benchmark.group = f"{rule.title}, {workload.title}"
    made = steps(workload, rule, {contender.key: contender})
    benchmark(made.calls[contender.key])


@pytest.mark.parametrize(
    ("workload", "rule"),
    [
        pytest.param(workload, rule, id=f"{rule.key}-{workload.key}", marks=marks(workload))
        for workload in ALONE
        if workload.is_large
        for rule in RULES.values()
    ],
)
def test_floor(benchmark: BenchmarkFixture, workload: Workload, rule: Rule) -> None:
    benchmark.group = f"{rule.title}, {workload.title}"
    benchmark(floor_call(workload, rule))
