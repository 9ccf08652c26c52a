"""A training run with many settings and seeds, on all cores, as a table."""

from gradstep.sweeps.results import SweepTable
from gradstep.sweeps.sweep import sweep
from gradstep.sweeps.trials import Trial

__all__ = ["SweepTable", "Trial", "sweep"]
