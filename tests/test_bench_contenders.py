"""What the benchmark compares: equals, on arrays of their own."""

from collections.abc import Callable

import numpy as np
import pytest

import absent
import gradstep as gs
from gradstep.bench import contenders, rows, schedules, steps, training, workloads
from gradstep.bench.contenders import OWN, Contender, DisagreementError
from gradstep.bench.rules import RULES, Rule
from gradstep.bench.workloads import WORKLOADS, Floats

numpy_only = pytest.fixture(autouse=True)(absent.numpy_only)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_all_compute_what_gradstep_computes(rule: Rule) -> None:
    assert [*contenders.installed()] == [OWN, "numpy", "numpy-out"]
    assert all(rule.key in contender.steps for contender in contenders.installed().values())
    contenders.check(rule, contenders.installed())


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_any_other_rule_is_noticed(rule: Rule) -> None:
    for other in RULES.values():
        if other is not rule:
            steps = {rule.key: contenders.TEXTBOOK_STEPS[other.key]}
            with pytest.raises(DisagreementError, match=f"^NumPy, textbook is not the same {rule.title}: "):
                contenders.check(rule, {"numpy": Contender("numpy", steps)})


def test_nan_is_noticed() -> None:
    def make(params: list[Floats], _: list[Floats]) -> Callable[[], object]:
        return lambda: params[0].fill(np.nan)

    with pytest.raises(DisagreementError, match=r"tensor 0 \(17, 64\) differs by nan after 3 steps"):
        contenders.check(RULES["adam"], {"numpy": Contender("numpy", {"adam": make})})


def test_a_step_starts_from_arrays_of_its_own() -> None:
    made = []

    def make(params: list[Floats], grads: list[Floats]) -> Callable[[], object]:
        made.append((params, grads))
        return lambda: None

    for rule in (RULES["adam"], RULES["adam-clip"]):
        made.clear()
        everybody = {name: Contender(name, {rule.key: make}) for name in ("one", "two")}
        steps.steps(WORKLOADS["tensor"], rule, everybody)
        (params, grads), (others, other_grads) = made
        np.testing.assert_array_equal(params, others)
        assert not np.shares_memory(params[0], others[0])
        # Where clipping changes the gradients, one contender must not clip another's.
        assert np.shares_memory(grads[0], other_grads[0]) == (rule.key == "adam")


@pytest.mark.parametrize("case", rows.CASES, ids=lambda case: case.key)
def test_all_update_the_rows_that_gradstep_updates(case: rows.Case, monkeypatch: pytest.MonkeyPatch) -> None:
    rows.check(case)
    monkeypatch.setattr(rows.Table, "__init__", lambda table, case: other(table, case))
    with pytest.raises(DisagreementError, match="differs by"):
        rows.check(case)


def other(table: rows.Table, case: rows.Case) -> None:
    """Make a table whose optimizer has another rate."""
    table.case, table.steps = case, 0
    table.p, table.m, table.v = (np.full(case.shape, x, np.float32) for x in (1.0, 0.0, 0.0))
    table.optimizer = (gs.Adam if case.adam else gs.SGD)(table.p, lr=0.5)


def test_a_case_of_rows_is_measured() -> None:
    small = rows.Case("adam-rows", "Adam", adam=True, shape=(3000, 8), given=100)
    indices, values = small.draw(1)
    assert len(np.unique(indices)) < len(indices) == len(values) == 100
    times = rows.measure_case(small, 2)
    assert times.microseconds(OWN) > 0
    assert times.against("dense") is not None
    assert times.against("nobody") is None


def test_numpy_schedule_is_gradsteps() -> None:
    t = np.arange(2 * (schedules.WARMUP + schedules.DECAY))
    expected = schedules.schedule()(t)
    np.testing.assert_allclose(schedules.in_numpy(t), expected, rtol=1e-12, atol=1e-18)


def test_the_passes_of_training_write_the_gradients() -> None:
    rng = np.random.default_rng(0)
    shapes = workloads.mlp(5, 4, 3, 2)
    params: list[Floats] = [rng.standard_normal(shape) for shape in shapes]
    grads: list[Floats] = [np.full(shape, np.nan) for shape in shapes]
    run = training.passes(params, grads, batch=6)
    inputs, targets = training.batches(6, 5, 2)[0]
    run()

    def loss() -> float:
        x: Floats = inputs
        for i in range(0, len(params), 2):
            x = x @ params[i] + params[i + 1]
            x = np.maximum(x, 0) if i < len(params) - 2 else x
        return float(np.sum((x - targets) ** 2) / 12)

    for p, g in zip(params, grads, strict=True):
        for index in np.ndindex(p.shape):
            value, losses = p[index], []
            for p[index] in (value + 1e-6, value - 1e-6):
                losses.append(loss())
            p[index] = value
            assert g[index] == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize(
    ("workload", "tensors", "elements"),
    [
        ("tensor", 1, 1000),
        ("policy", 12, 11_079),
        ("mlp", 6, 235_146),
        ("training", 6, 235_146),
        ("resnet50", 161, 25_557_032),
        ("gpt2", 148, 124_439_808),
    ],
)
def test_workloads_have_the_models_sizes(workload: str, tensors: int, elements: int) -> None:
    found = WORKLOADS[workload]
    assert (len(found.shapes), found.elements) == (tensors, elements)
