"""The pictures of range tests and of sweeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import gradstep as gs

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@pytest.fixture
def ax() -> Axes:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    return Figure().add_subplot()


def texts(legend: Any) -> list[str]:
    return [text.get_text() for text in legend.get_texts()]


def a_curve(trouble: bool = False) -> gs.LRCurve:
    slope = 0.0 if trouble else 2.0
    return gs.find_lr(np.ones(2), lambda w, _: (float(w @ w), slope * w), rule=gs.SGD)


def test_a_curve_of_losses_has_its_suggestions(ax: Axes) -> None:
    curve = a_curve()
    assert curve.plot(ax=ax) is ax
    assert (ax.get_xscale(), ax.get_xlabel(), ax.get_ylabel()) == ("log", "learning rate", "loss")
    marks = {str(line.get_label()): float(np.asarray(line.get_xdata())[0]) for line in ax.lines[2:]}
    assert marks == {
        f"suggestion: {curve.suggestion:.3g}": curve.suggestion,
        f"valley: {curve.valley:.3g}": curve.valley,
        f"minimum / 10: {curve.minimum_tenth:.3g}": curve.minimum_tenth,
    }
    # The fall is seen, and not what comes after it.
    assert ax.get_ylim()[1] < 1.5 * curve.losses[0] < curve.losses[-1]


def test_a_curve_without_a_suggestion_says_so(ax: Axes) -> None:
    a_curve(trouble=True).plot(ax=ax)
    assert ax.get_title() == "no suggestion: the loss is flat: no rate from low to high changes it"
    assert len(ax.lines) == 2
    ax.figure.canvas.draw()
    gs.find_lr(np.ones(2), lambda w, _: (float("nan"), w)).plot(ax=ax).figure.canvas.draw()


def a_sweep(**columns: list[Any]) -> gs.SweepTable:
    def run(report: Callable[..., None], *, seed: int, **setting: Any) -> None:
        lr = setting.get("lr", 0.1)
        if lr > 1:
            raise ValueError
        report(0, val_loss=(1e9 if lr == 1 else abs(np.log10(lr) + 2) + 0.1 * seed))

    return gs.sweep(run, columns, workers=0, seeds=2)


def test_a_sweep_over_the_rate(ax: Axes) -> None:
    table = a_sweep(rule=["SGD", "Adam"], lr=[1e-3, 1e-2, 1e-1, 1.0, 5.0])
    assert table.plot(ax=ax) is ax
    assert (ax.get_xscale(), ax.get_xlabel()) == ("log", "lr")
    assert ax.get_ylabel() == "val_loss, mean and range of the seeds"
    assert texts(ax.get_legend()) == ["rule=SGD", "rule=Adam"]
    assert np.asarray(ax.lines[0].get_xdata()).tolist() == [1e-3, 1e-2, 1e-1, 1.0]
    assert ax.get_title(loc="right") == "×: a trial diverged or failed"
    assert ax.get_xlim()[1] >= 5.0
    # What is far above the others does not press them together.
    assert ax.get_ylim()[1] < 1e6
    ax.figure.canvas.draw()


def test_a_sweep_over_names(ax: Axes) -> None:
    a_sweep(rule=["SGD", "Adam"], lr=[1e-3, 1e-2]).plot("rule", ax=ax)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["SGD", "Adam"]
    assert texts(ax.get_legend()) == ["lr=0.001", "lr=0.01"]
    assert {line.get_linestyle() for line in ax.lines} == {"None"}


def test_a_sweep_that_cannot_be_drawn(ax: Axes) -> None:
    with pytest.raises(ValueError, match=r"^the sweep has no argument 'momentum'; it has lr$"):
        a_sweep(lr=[0.1]).plot("momentum", ax=ax)
    nothing = gs.SweepTable([], names=["lr"], metric="val_loss", maximize=False, planned=3)
    with pytest.raises(ValueError, match=r"^the sweep has no trials to draw$"):
        nothing.plot(ax=ax)
    a_sweep(lr=[3.0]).plot(ax=ax).figure.canvas.draw()
