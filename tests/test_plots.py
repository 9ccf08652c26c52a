"""The pictures: on which Axes, with which labels and scales, and that nothing else changes."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import absent
import gradstep as gs
from gradstep.cli.chart import HEIGHT, chart
from gradstep.horizons import default_steps
from gradstep.schedules import (
    Constant,
    Cosine,
    Exponential,
    Linear,
    OneCycle,
    Piecewise,
    Schedule,
)
from schedule_cases import CASES

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@pytest.fixture
def ax() -> Axes:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    return Figure().add_subplot()


@pytest.fixture
def pyplot(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("MPLBACKEND", "agg")
    from matplotlib import pyplot

    monkeypatch.setattr(pyplot, "show", lambda *_: pytest.fail("a plot function called show"))
    yield pyplot
    pyplot.close("all")


def a_history() -> gs.History:
    history = gs.History()
    for step in range(200):
        seldom = 10.0 ** (3 - step / 40) if step % 10 == 0 else None
        history.record(
            step=step,
            lr=(0.1 - step / 2000, 0.01),
            loss=10.0 ** (3 - step / 40),
            val_loss=seldom,
            accuracy=step / 200,
            grad_norm=1.0 + step % 3,
        )
    return history


PLOTS: dict[str, Callable[..., Axes]] = {
    "schedule": lambda **options: Cosine(0.1, 100).plot(50, **options),
    "schedules": lambda **options: gs.plot_schedules(
        {"a": Cosine(0.1, 10), "b": Constant(0.1)}, 50, **options
    ),
    "history": lambda **options: a_history().plot(**options),
    "column": lambda **options: a_history().plot("accuracy", **options),
}
plots = pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS.keys())


@plots
def test_draws_on_the_given_axes_and_changes_nothing_else(plot: Callable[..., Axes], ax: Axes) -> None:
    import matplotlib as mpl

    settings = dict(mpl.rcParams)
    loaded = "matplotlib.pyplot" in sys.modules
    figures = sys.modules["matplotlib.pyplot"].get_fignums() if loaded else []
    assert plot(ax=ax) is ax
    assert ax.lines
    assert dict(mpl.rcParams) == settings
    assert ("matplotlib.pyplot" in sys.modules) == loaded
    if loaded:
        assert sys.modules["matplotlib.pyplot"].get_fignums() == figures


@plots
def test_makes_a_figure_that_pyplot_knows_and_shows_nothing(plot: Callable[..., Axes], pyplot: Any) -> None:
    before = pyplot.get_fignums()
    axes = plot()
    assert len(pyplot.get_fignums()) == len(before) + 1
    assert pyplot.gcf() is axes.figure
    axes.figure.canvas.draw()


@plots
def test_axes_are_labelled(plot: Callable[..., Axes], ax: Axes) -> None:
    axes = plot(ax=ax)
    assert axes.get_xlabel() == "step"
    assert axes.get_ylabel() in ("learning rate", "loss", "accuracy")


def texts(legend: Any) -> list[str]:
    return [text.get_text() for text in legend.get_texts()]


def test_the_values_are_those_of_the_schedule(ax: Axes) -> None:
    schedule = Cosine(0.1, 100).warmup(10)
    (line,) = schedule.plot(110, ax=ax, color="red", label="mine").lines
    assert line.get_xdata().tolist() == list(range(110))  # type: ignore[union-attr]
    assert line.get_ydata().tolist() == schedule(np.arange(110)).tolist()  # type: ignore[union-attr]
    assert line.get_color() == "red"
    assert texts(ax.get_legend()) == ["mine"]
    assert ax.get_ylim()[0] == 0


def test_two_plots_on_one_axes_fit_both(ax: Axes) -> None:
    Constant(0.1).plot(10, ax=ax)
    Constant(0.5).plot(100, ax=ax)
    assert ax.get_ylim()[1] > 0.5
    assert ax.get_xlim() == (0, 99)


def test_a_single_step_is_seen(ax: Axes) -> None:
    (line,) = Constant(0.1).plot(1, ax=ax).lines
    assert line.get_marker() == "o"


def test_long_schedules_keep_their_peaks(ax: Axes) -> None:
    peak = Piecewise([123_456, 123_457], [1.0, 9.0, 1.0])
    (line,) = peak.plot(500_000, ax=ax).lines
    y = np.asarray(line.get_ydata())
    assert len(y) <= 4000
    assert (y.min(), y.max()) == (1.0, 9.0)


def test_fifteen_curves_differ_and_are_named_beside_the_picture(pyplot: Any) -> None:
    schedules = {f"schedule {i}": Linear(0.1 * (i + 1), 0.0, 100) for i in range(15)}
    axes = gs.plot_schedules(schedules)
    axes.figure.canvas.draw()
    assert len({(line.get_color(), str(line.get_linestyle())) for line in axes.lines}) == 15
    (legend,) = axes.figure.legends
    assert texts(legend) == list(schedules)
    picture = axes.get_tightbbox()
    assert picture is not None
    assert not legend.get_window_extent().overlaps(picture)
    assert axes.figure.bbox.contains(*legend.get_window_extent().min)
    assert axes.figure.bbox.contains(*legend.get_window_extent().max)
    pyplot.close(axes.figure)


@pytest.mark.parametrize(
    ("schedule", "steps", "scale"),
    [
        (Cosine(0.1, 100), 100, "linear"),
        (OneCycle(0.1, 100), 100, "linear"),
        (Exponential(0.1, 0.9), 100, "log"),
        (Exponential(0.1, 0.99), 100, "linear"),
        (Exponential(-0.1, 0.9), 100, "linear"),
        (Exponential(0.1, 0.9) * Piecewise([99], [1, 0]), 100, "linear"),
        (Constant(1e-9), 100, "linear"),
        (Constant(0.0), 100, "linear"),
    ],
)
def test_scale_is_logarithmic_where_half_the_curve_would_be_lost(
    schedule: Schedule, steps: int, scale: str, ax: Axes
) -> None:
    assert schedule.plot(steps, ax=ax).get_yscale() == scale


def test_scale_can_be_chosen(ax: Axes) -> None:
    assert Cosine(0.1, 100).plot(100, ax=ax, log=True).get_yscale() == "log"
    assert Exponential(0.1, 0.5).plot(100, ax=ax, log=False).get_yscale() == "linear"
    assert gs.plot_schedules({"a": Cosine(0.1, 100)}, 100, ax=ax, log=True).get_yscale() == "log"
    assert a_history().plot("loss", ax=ax, log=False).get_yscale() == "linear"


def test_a_history_has_its_rates_on_the_right(pyplot: Any) -> None:
    axes = a_history().plot()
    left, right = axes.figure.axes
    assert left is axes
    assert (left.get_ylabel(), left.get_yscale()) == ("loss", "log")
    assert (right.get_ylabel(), right.get_yscale()) == ("learning rate", "linear")
    (legend,) = axes.figure.legends
    assert texts(legend) == ["loss", "val_loss", "lr.0 (right)", "lr.1 (right)"]
    seldom = next(line for line in left.lines if line.get_label() == "val_loss")
    assert (len(np.asarray(seldom.get_xdata())), seldom.get_marker()) == (20, ".")
    pyplot.close(axes.figure)


@pytest.mark.parametrize(
    ("columns", "label", "lines"),
    [
        (("lr.0",), "lr.0", 1),
        (("lr.0", "lr.1"), "learning rate", 2),
        (("grad_norm",), "gradient norm", 1),
        (("val_loss",), "val_loss", 1),
        (("loss", "val_loss"), "loss", 2),
        (("accuracy", "grad_norm"), "value", 2),
    ],
)
def test_columns_of_a_history(columns: tuple[str, ...], label: str, lines: int, ax: Axes) -> None:
    a_history().plot(*columns, ax=ax)
    assert ax.figure.axes == [ax]
    assert (ax.get_ylabel(), len(ax.lines)) == (label, lines)
    assert (ax.get_legend() is not None) == (lines > 1)


def test_a_history_with_nothing_called_loss_or_finite(ax: Axes) -> None:
    history = gs.History()
    for value in (float("nan"), float("inf"), float("nan")):
        history.record(error=value)
    assert history.plot(ax=ax).get_ylabel() == "error"
    ax.figure.canvas.draw()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("log", [None, False, True])
def test_a_history_that_has_diverged(log: bool | None, ax: Axes) -> None:
    history = gs.History()
    for value in (1.0, 1e200, 1.7e308, float("inf"), float("nan")):
        history.record(lr=0.1, loss=value)
    axes = history.plot("loss", ax=ax, log=log)
    axes.figure.canvas.draw()
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert max(map(float, filter(None, labels))) > 1e300


BAD: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: Constant(1).plot(0), ValueError, "steps must be from 1 to 2**53, got 0"),
    (lambda: Constant(1).plot(2**53 + 1), ValueError, "steps must be from 1 to 2**53, got 9007199254740993"),
    (lambda: Constant(1).plot(10.0), TypeError, "steps must be an integer, got float"),  # type: ignore[arg-type]
    (lambda: gs.plot_schedules({}), ValueError, "schedules is empty"),
    (
        lambda: gs.plot_schedules([Constant(1)]),  # type: ignore[arg-type]
        TypeError,
        "schedules must be a dict of schedules by name, got list",
    ),
    (
        lambda: gs.plot_schedules({"a": 0.1}),  # type: ignore[dict-item]
        TypeError,
        "schedules['a'] must be a schedule, got float",
    ),
    (lambda: gs.History().plot(), ValueError, "history is empty"),
    (lambda: a_history().plot("f1"), ValueError, "history has no column 'f1'; it has lr.0, lr.1, loss, "),
]


@pytest.mark.parametrize(("make", "error", "message"), BAD, ids=[message for _, _, message in BAD])
def test_what_is_wrong_is_named_before_a_figure_is_made(
    make: Callable[[], object], error: type[Exception], message: str, pyplot: Any
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        make()
    assert pyplot.get_fignums() == []


no_matplotlib = pytest.fixture(absent.no_matplotlib)


@plots
@pytest.mark.usefixtures("no_matplotlib")
def test_says_what_to_install(plot: Callable[..., Axes]) -> None:
    with pytest.raises(ImportError, match=re.escape("plots need matplotlib: pip install matplotlib")):
        plot()


def test_importing_the_package_does_not_import_matplotlib() -> None:
    code = "import sys, gradstep.plots.schedules, gradstep.cli; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


@pytest.mark.parametrize("name", CASES)
def test_every_schedule_has_a_picture(name: str, ax: Axes) -> None:
    schedule = CASES[name].schedule
    assert 1 <= default_steps(schedule) <= 2**53
    schedule.plot(ax=ax)
    ax.figure.canvas.draw()
    assert chart(schedule, default_steps(schedule), 80, "utf-8").count("\n") == HEIGHT + 1
