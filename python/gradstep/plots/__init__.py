"""Pictures of schedules and of training runs, drawn with matplotlib (extra `plot`).

matplotlib is imported inside the functions. Every function takes ``ax`` and returns the Axes that it drew on,
shows nothing and changes no settings. Without ``ax`` it makes a figure with pyplot, as pandas does, which
notebooks show by themselves and which works without a display too.
"""

from gradstep.plots.histories import plot_history, shown_by_default
from gradstep.plots.lr_curves import plot_lr_curve
from gradstep.plots.schedules import plot_schedule, plot_schedules
from gradstep.plots.sweeps import plot_sweep

__all__ = [
    "plot_history",
    "plot_lr_curve",
    "plot_schedule",
    "plot_schedules",
    "plot_sweep",
    "shown_by_default",
]
