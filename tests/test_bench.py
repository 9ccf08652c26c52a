"""The benchmark's machinery: that it compares equals, that its arithmetic is right, and what it writes."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from gradstep.bench import contenders, machine, schedules, steps, targets
from gradstep.bench.contenders import OWN, Contender, DisagreementError
from gradstep.bench.report import Report
from gradstep.bench.rounds import SAMPLE_SECONDS, SETTLE_SECONDS, Samples, race
from gradstep.bench.rules import RULES, Rule
from gradstep.bench.schedules import ScheduleTimes
from gradstep.bench.steps import FLOOR, StepTimes
from gradstep.bench.targets import TARGETS, Target
from gradstep.bench.workloads import USUAL, WORKLOADS, Floats
from gradstep.cli import bench, main
from gradstep.tables import as_markdown, as_text


@pytest.fixture(autouse=True)
def numpy_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave out torch and numba, whose import alone takes seconds."""
    monkeypatch.setattr(contenders, "is_installed", lambda _: False)
    monkeypatch.setattr(schedules, "is_installed", lambda _: False)
    contenders.installed.cache_clear()
    yield
    contenders.installed.cache_clear()


class TestContenders:
    @pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
    def test_all_compute_what_gradstep_computes(self, rule: Rule) -> None:
        assert [*contenders.installed()] == [OWN, "numpy", "numpy-out"]
        assert all(rule.key in contender.steps for contender in contenders.installed().values())
        contenders.check(rule, contenders.installed())

    @pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
    def test_any_other_rule_is_noticed(self, rule: Rule) -> None:
        for other in RULES.values():
            if other is not rule:
                steps = {rule.key: contenders.TEXTBOOK_STEPS[other.key]}
                with pytest.raises(
                    DisagreementError, match=f"^NumPy, textbook is not the same {rule.title}: "
                ):
                    contenders.check(rule, {"numpy": Contender("numpy", steps)})

    def test_nan_is_noticed(self) -> None:
        def make(params: list[Floats], _: list[Floats]) -> Callable[[], object]:
            return lambda: params[0].fill(np.nan)

        with pytest.raises(DisagreementError, match=r"tensor 0 \(17, 64\) differs by nan after 3 steps"):
            contenders.check(RULES["adam"], {"numpy": Contender("numpy", {"adam": make})})

    def test_a_step_starts_from_arrays_of_its_own(self) -> None:
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

    def test_numpy_schedule_is_gradsteps(self) -> None:
        t = np.arange(2 * (schedules.WARMUP + schedules.DECAY))
        expected = schedules.schedule()(t)
        np.testing.assert_allclose(schedules.in_numpy(t), expected, rtol=1e-12, atol=1e-18)


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


class TestRounds:
    def test_ratios_are_paired_within_a_round(self) -> None:
        # The machine was ten times slower in the second round, for both.
        samples = Samples({"a": [3.0, 30.0, 4.0], "b": [1.0, 10.0, 2.0]})
        assert samples.ratio("a", to="b") == 3.0
        assert samples.ratio("b", to="a") == 1 / 3
        assert samples.median("a") == 4.0
        assert "a" in samples
        assert "c" not in samples

    def test_times_are_a_calls(self) -> None:
        time = FakeTime()
        calls = {"slow": time.work("slow", 1e-3), "fast": time.work("fast", 1e-6)}
        samples = race(calls, 5, clock=lambda: time.now, sleep=time.sleep)
        assert samples.seconds["slow"] == pytest.approx([1e-3] * 5)
        assert samples.seconds["fast"] == pytest.approx([1e-6] * 5)
        assert samples.ratio("slow", to="fast") == pytest.approx(1000)

    def test_short_calls_are_repeated_long_enough(self) -> None:
        time = FakeTime()
        race({"short": time.work("short", 1e-6)}, 1, clock=lambda: time.now, sleep=time.sleep)
        last_pause = max(i for i, call in enumerate(time.calls) if call != "short")
        timed = len(time.calls) - last_pause - 2
        assert timed * 1e-6 >= SAMPLE_SECONDS

    def test_everybody_pauses_warms_up_and_takes_turns(self) -> None:
        time = FakeTime()
        names = ["a", "b", "c"]
        race({name: time.work(name, 1.0) for name in names}, 4, clock=lambda: time.now, sleep=time.sleep)
        pause = f"sleep {SETTLE_SECONDS}"
        measured = time.calls[time.calls.index(pause) :]
        expected = [
            call for order in ("abc", "bca", "cab", "abc") for name in order for call in (pause, name, name)
        ]
        assert measured == expected


def synthetic(rule: str, workload: str, **seconds: float) -> StepTimes:
    samples = Samples({name.replace("_", "-"): [value] for name, value in seconds.items()})
    return StepTimes(WORKLOADS[workload], RULES[rule], samples)


class TestStepTimes:
    def test_bandwidth(self) -> None:
        times = synthetic("adam", "resnet50", gradstep=0.02, floor=0.016)
        elements = WORKLOADS["resnet50"].elements
        assert times.bandwidth == pytest.approx(28 * elements / 0.02 / 1e9)
        assert times.attainable == pytest.approx(28 * elements / 0.016 / 1e9)
        assert times.achieved == times.against(FLOOR) == pytest.approx(0.8)

    def test_clipping_may_read_the_gradients_twice(self) -> None:
        times = synthetic("adam-clip", "resnet50", gradstep=0.032, floor=0.028)
        assert times.achieved == pytest.approx(1.0)
        assert times.achieved == pytest.approx(times.bandwidth / times.attainable)

    def test_who_did_not_run_has_no_ratio(self) -> None:
        assert synthetic("adam", "policy", gradstep=1.0).against("numba") is None


class TestTargets:
    def judge(
        self, monkeypatch: pytest.MonkeyPatch, target: Target, *times: StepTimes
    ) -> tuple[str | None, float | None, str]:
        monkeypatch.setattr(targets, "TARGETS", (target,))
        (verdict,) = targets.judge(Report({}, {}, 1, [*times]))
        return verdict.opponent, verdict.measured, verdict.word

    @pytest.mark.parametrize(
        ("seconds", "expected"),
        [
            ({"gradstep": 1.0, "numpy": 9.0, "numba": 8.0}, ("numba", 8.0, "OK")),
            ({"gradstep": 1.0, "numpy": 9.0, "numba": 7.9}, ("numba", 7.9, "MISSED")),
            ({"gradstep": 1.0, "numpy": 9.0}, ("numpy", 9.0, "OK")),
            ({"gradstep": 1.0, "torch_foreach": 1.0}, (None, None, "not measured")),
        ],
    )
    def test_the_fastest_counts(
        self,
        monkeypatch: pytest.MonkeyPatch,
        seconds: dict[str, float],
        expected: tuple[str | None, float | None, str],
    ) -> None:
        target = Target("adam", "policy", ("numpy", "numba"), 8)
        assert self.judge(monkeypatch, target, synthetic("adam", "policy", **seconds)) == expected

    def test_nan_is_missed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        target = Target("adam", "policy", ("numpy",), 8)
        times = synthetic("adam", "policy", gradstep=1.0, numpy=float("nan"))
        assert self.judge(monkeypatch, target, times)[2] == "MISSED"

    def test_the_floors_bandwidth_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        target = Target("adam", "resnet50", (FLOOR,), 0.95)
        times = synthetic("adam", "resnet50", gradstep=1.0, floor=0.94)
        assert times.achieved == pytest.approx(0.94)
        assert self.judge(monkeypatch, target, times) == (FLOOR, times.achieved, "MISSED")

    def test_other_rules_and_workloads_do_not_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        target = Target("adam", "policy", ("numpy",), 8)
        times = [synthetic(*case, gradstep=1.0, numpy=1.0) for case in (("sgd", "policy"), ("adam", "mlp"))]
        assert self.judge(monkeypatch, target, *times) == (None, None, "not measured")

    def test_schedules(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(targets, "TARGETS", (Target("array", "schedules", ("numpy",), 6),))
        row = ScheduleTimes("array", "", 1, Samples({OWN: [1.0], "numpy": [6.5]}))
        (verdict,) = targets.judge(Report({}, {}, 1, [], [row]))
        assert (verdict.measured, verdict.missed) == (6.5, False)

    def test_every_target_names_what_exists(self) -> None:
        for target in TARGETS:
            assert target.workload in {*WORKLOADS, "schedules"}
            assert target.case in ({"scalar", "array"} if target.workload == "schedules" else RULES)
            assert {*target.against} <= {*contenders.TITLES, FLOOR}

    def test_each_is_measured_by_check(self) -> None:
        races = {(race.rule, race.workload): race for race in bench.target_races()}
        for target in TARGETS:
            if "numpy" in target.against and target.workload != "schedules":
                assert "numpy" in races[target.case, target.workload].contenders
            if FLOOR in target.against:
                assert races[target.case, target.workload].floor

    @pytest.mark.parametrize(("measured", "status"), [(9.0, 0), (7.0, 1)])
    def test_check_exits_1_where_one_is_missed(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        measured: float,
        status: int,
    ) -> None:
        monkeypatch.setattr(targets, "TARGETS", (Target("adam", "policy", ("numpy",), 8),))
        report = Report(
            machine.facts(),
            contenders.versions(),
            1,
            [synthetic("adam", "policy", gradstep=1.0, numpy=measured)],
        )
        monkeypatch.setattr(bench, "measure", lambda *_: report)
        assert main(["bench", "--check"]) == status
        output = capsys.readouterr()
        assert ("MISSED" in output.out) == ("gradstep bench: 1 of 1 targets missed" in output.err) == status


class TestCommand:
    def test_quick_run(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        paths = {name: tmp_path / f"x.{name}" for name in ("json", "markdown")}
        options = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
        chosen = ["--rules", "sgd", "adam", "--workloads", "tensor"]
        assert main(["bench", "--quick", *chosen, *options]) == 0
        output = capsys.readouterr().out
        assert machine.cpu() in output
        assert "One small tensor: 1 tensor, 1,000 elements" in output

        written = json.loads(paths["json"].read_text(encoding="utf-8"))
        assert written["versions"]["numpy"] == np.__version__
        assert [(row["workload"], row["rule"]) for row in written["steps"]] == [
            ("tensor", "sgd"),
            ("tensor", "adam"),
        ]
        for row in written["steps"]:
            assert (
                {*row["samples"]} == {*row["microseconds"]} == {*row["ratio"]} == {OWN, "numpy", "numpy-out"}
            )
            assert all(len(times) == written["rounds"] == 3 for times in row["samples"].values())
            assert row["ratio"][OWN] == 1.0
            assert all(x > 0 for x in row["microseconds"].values())

        page = paths["markdown"].read_text(encoding="utf-8")
        assert "Made by `gradstep bench --rules sgd adam --workloads tensor --quick` on" in page
        assert "| rule | gradstep | NumPy, textbook | NumPy, in place |" in page

    def test_floor_and_schedules(self) -> None:
        present = contenders.installed()
        times = steps.measure(WORKLOADS["tensor"], RULES["adam"], present, 2, floor=True)
        rows = [schedules.measure_scalar(2), schedules.measure_array(2, 30_000)]
        report = Report(machine.facts(), contenders.versions(), 2, [times], rows)
        titles = dict(report.sections(as_text))
        assert "attainable GB/s" in titles["One small tensor: memory traffic"]
        assert "array of 30,000 steps" in titles["Learning-rate schedules: linear warmup, then cosine"]
        json.dumps(report.as_json(), allow_nan=False)

    def test_plot(self, tmp_path: Path) -> None:
        pytest.importorskip("matplotlib")
        from gradstep.bench import figure

        every = {key: [2.0] for key in contenders.TITLES} | {OWN: [1.0]}
        rows = [StepTimes(WORKLOADS[w], rule, Samples(every)) for w in USUAL for rule in RULES.values()]
        figure.draw(Report(machine.facts(), contenders.versions(), 1, rows), tmp_path / "x.png")
        assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / "x.png").stat().st_size < 200_000

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--rules", "lion"], "argument --rules: invalid choice: 'lion'"),
            (["--workloads", "gpt3"], "argument --workloads: invalid choice: 'gpt3'"),
            (["--contenders", "jax"], "argument --contenders: invalid choice: 'jax'"),
            (["--rounds", "0"], "argument --rounds: expected an integer from 1 to 10000, got '0'"),
            (["--rounds", "1.5"], "argument --rounds: expected an integer from 1 to 10000, got '1.5'"),
            (["--json", "/no/such/folder/x"], "argument --json: cannot write '/no/such/folder/x'"),
            (["--markdown", "/no/such/folder/x"], "argument --markdown: cannot write '/no/such/folder/x'"),
            (["--check", "--rules", "sgd"], "--check chooses what is measured: leave out --rules"),
            (["--check", "--quick"], "--check chooses what is measured: leave out --quick"),
        ],
    )
    def test_wrong_usage(
        self, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as exit_:
            main(["bench", *arguments])
        assert exit_.value.code == 2
        assert message in capsys.readouterr().err

    def test_contender_that_is_not_installed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["bench", "--contenders", "numpy", "numba"]) == 1
        expected = "gradstep bench: not installed: numba (here: gradstep, numpy, numpy-out)\n"
        assert capsys.readouterr().err == expected

    def test_too_little_memory(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(steps, "memory_available", lambda: 10**9)
        assert main(["bench", "--workloads", "gpt2", "--rules", "adam"]) == 1
        assert "GPT-2 small with 3 contenders needs about 9 GB, and 1 GB are free" in capsys.readouterr().err

    def test_disagreement_ends_the_run(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        wrong = Contender("numpy", {"adam": contenders.TEXTBOOK_STEPS["sgd"]})
        monkeypatch.setitem(contenders.installed(), "numpy", wrong)
        assert main(["bench", "--rules", "adam", "--quick"]) == 1
        output = capsys.readouterr()
        assert output.out == ""
        assert output.err.startswith("gradstep bench: NumPy, textbook is not the same Adam")


@pytest.mark.parametrize(
    ("workload", "tensors", "elements"),
    [
        ("tensor", 1, 1000),
        ("policy", 12, 11_079),
        ("mlp", 6, 235_146),
        ("resnet50", 161, 25_557_032),
        ("gpt2", 148, 124_439_808),
    ],
)
def test_workloads_have_the_models_sizes(workload: str, tensors: int, elements: int) -> None:
    found = WORKLOADS[workload]
    assert (len(found.shapes), found.elements) == (tensors, elements)


def test_tables() -> None:
    head, rows = ("what", "µs"), [("a", "1"), ("longer", "1000")]
    assert as_text(head, rows).splitlines() == [
        "what      µs",
        "------  ----",
        "a          1",
        "longer  1000",
    ]
    assert as_markdown(head, rows).splitlines()[1] == "|---|--:|"
