"""The demo's learning curves and learning rates, drawn with matplotlib (extra `demo`)."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradstep.demo.report import Report
from gradstep.figures import COLOURS, STYLES, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(report: Report, path: Path) -> None:
    """Draw test accuracy and training loss over the epochs, and each rule's learning rate over the steps.

    Args:
        report: what the demo found.
        path: the file to write; its suffix is the format.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure = Figure(figsize=(11, 8), layout="constrained")
    grid = figure.add_gridspec(3, 6, height_ratios=(2.2, 1, 1))
    accuracy_axes = figure.add_subplot(grid[0, :3])
    loss_axes = figure.add_subplot(grid[0, 3:])
    epochs = range(1, report.epochs + 1)
    lowest = min(row.run.test_accuracy for row in report.rows)
    for i, row in enumerate(report.rows):
        name = f"{row.recipe.rule} ({row.recipe.schedule_name})"
        line: dict[str, Any] = {"color": COLOURS[i], "linestyle": STYLES[i], "linewidth": 1.6}
        marker = "o" if report.epochs == 1 else ""
        accuracy_axes.plot(epochs, row.run.curve("test_accuracy"), label=name, marker=marker, **line)
        loss_axes.plot(epochs, row.run.curve("training_loss"), marker=marker, **line)
        rate_axes = figure.add_subplot(grid[1 + i // 3, 2 * (i % 3) : 2 * (i % 3) + 2])
        rates = row.run.curve("lr")
        rate_axes.plot(rates, color=COLOURS[i], linewidth=1.6, drawstyle="steps-post")
        rate_axes.set_title(name, fontsize=10)
        rate_axes.set_xlim(0, len(rates))
        rate_axes.set_ylim(bottom=0)
        rate_axes.yaxis.set_major_formatter(lambda rate, _: f"{rate:g}")
        label(rate_axes, "step", "learning rate")

    if report.required is not None:
        lowest = min(lowest, report.required)
        accuracy_axes.axhline(report.required, color="0.4", linewidth=0.8)
        accuracy_axes.annotate(
            f"required: {report.required:.4g}",
            (1, report.required),
            (-4, -4),
            xycoords=accuracy_axes.get_yaxis_transform(),
            textcoords="offset points",
            ha="right",
            va="top",
            color="0.4",
        )
    # The curves start near chance; what they are compared by is where they end.
    accuracy_axes.set_ylim(max(0.0, lowest - 0.05), 1.0)
    accuracy_axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    accuracy_axes.set_title("Test accuracy")
    label(accuracy_axes, "epoch", "images classified correctly")
    loss_axes.set_yscale("log")
    loss_axes.set_title("Training loss")
    label(loss_axes, "epoch", "mean cross-entropy (nats)")
    for axes in (accuracy_axes, loss_axes):
        axes.set_xlim(0, max(report.epochs, 2))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    save(figure, path, dpi=150)


def label(axes: "Axes", x: str, y: str) -> None:
    """Name both axes and draw a light grid."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
