"""What the project promises itself, and how a run is judged."""

import pytest

import absent
from gradstep.bench import contenders, machine, races, rows, targets
from gradstep.bench.contenders import OWN
from gradstep.bench.results import Results
from gradstep.bench.rounds import Samples
from gradstep.bench.rules import RULES
from gradstep.bench.schedules import ScheduleTimes
from gradstep.bench.steps import FLOOR, StepTimes
from gradstep.bench.targets import TARGETS, Target
from gradstep.bench.workloads import WORKLOADS
from gradstep.cli import bench, main
from gradstep.tables import as_text
from test_bench_rounds import synthetic

numpy_only = pytest.fixture(autouse=True)(absent.numpy_only)


def judge(
    monkeypatch: pytest.MonkeyPatch, target: Target, *times: StepTimes
) -> tuple[str | None, float | None, str]:
    monkeypatch.setattr(targets, "TARGETS", (target,))
    (verdict,) = targets.judge(Results({}, {}, 1, [*times]))
    return verdict.opponent, verdict.measured, verdict.word


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({"gradstep": 1.0, "numpy": 9.0, "numba": 8.0}, ("numba", 8.0, "OK")),
        ({"gradstep": 1.0, "numpy": 9.0, "numba": 7.9}, ("numba", 7.9, "MISSED")),
        ({"gradstep": 1.0, "numpy": 9.0}, ("numpy", 9.0, "OK")),
        ({"gradstep": 1.0, "torch_foreach": 1.0}, (None, None, "–")),
    ],
)
def test_the_fastest_counts(
    monkeypatch: pytest.MonkeyPatch,
    seconds: dict[str, float],
    expected: tuple[str | None, float | None, str],
) -> None:
    target = Target("adam", "policy", ("numpy", "numba"), 8)
    assert judge(monkeypatch, target, synthetic("adam", "policy", **seconds)) == expected


def test_nan_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target("adam", "policy", ("numpy",), 8)
    times = synthetic("adam", "policy", gradstep=1.0, numpy=float("nan"))
    assert judge(monkeypatch, target, times)[2] == "MISSED"


def test_the_floors_bandwidth_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target("adam", "resnet50", (FLOOR,), 0.95)
    times = synthetic("adam", "resnet50", gradstep=1.0, floor=0.94)
    assert times.achieved == pytest.approx(0.94)
    assert judge(monkeypatch, target, times) == (FLOOR, times.achieved, "MISSED")


def test_other_rules_and_workloads_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target("adam", "policy", ("numpy",), 8)
    times = [synthetic(*case, gradstep=1.0, numpy=1.0) for case in (("sgd", "policy"), ("adam", "mlp"))]
    assert judge(monkeypatch, target, *times) == (None, None, "–")


def test_schedules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "TARGETS", (Target("array", "schedules", ("numpy",), 6),))
    row = ScheduleTimes("array", "", 1, Samples({OWN: [1.0], "numpy": [6.5]}))
    (verdict,) = targets.judge(Results({}, {}, 1, [], [row]))
    assert (verdict.measured, verdict.missed) == (6.5, False)


def test_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "TARGETS", (Target("sgd-rows", "rows", ("numpy", "dense"), 3),))
    row = rows.RowTimes(rows.CASES[1], Samples({OWN: [1.0], "numpy": [2.5], "dense": [70.0]}))
    results = Results({}, {}, 1, rows=[row])
    (verdict,) = targets.judge(results)
    assert (verdict.opponent, verdict.measured, verdict.missed) == ("numpy", 2.5, True)
    assert "NumPy, rows" in targets.table([verdict], as_text)
    assert "70.0×" in dict(results.sections(as_text))["Gradients of some rows"]
    assert results.as_json()["rows"]


def test_every_target_names_what_exists() -> None:
    for target in TARGETS:
        assert target.workload in {*WORKLOADS, "schedules", "rows"}
        cases = {"schedules": {"scalar", "array"}, "rows": {case.key for case in rows.CASES}}
        assert target.case in cases.get(target.workload, RULES)
        titles = rows.TITLES if target.workload == "rows" else contenders.TITLES
        assert {*target.against} <= {*titles, FLOOR}


def test_each_is_measured_by_check() -> None:
    chosen = {(race.rule.key, race.workload.key): race for race in races.of_targets()}
    for target in TARGETS:
        if "numpy" in target.against and target.workload in WORKLOADS:
            assert "numpy" in chosen[target.case, target.workload].contenders
        if FLOOR in target.against:
            assert chosen[target.case, target.workload].floor


@pytest.mark.parametrize(("measured", "status"), [(9.0, 0), (7.0, 1)])
def test_check_exits_1_where_one_is_missed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    measured: float,
    status: int,
) -> None:
    monkeypatch.setattr(targets, "TARGETS", (Target("adam", "policy", ("numpy",), 8),))
    results = Results(
        machine.facts(),
        contenders.versions(),
        1,
        [synthetic("adam", "policy", gradstep=1.0, numpy=measured)],
    )
    monkeypatch.setattr(bench, "measure", lambda _: results)
    assert main(["bench", "--check"]) == status
    output = capsys.readouterr()
    assert ("MISSED" in output.out) == ("gradstep bench: 1 of 1 targets missed" in output.err) == status
