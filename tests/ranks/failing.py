"""Fails on one rank, between two steps."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI

import gradstep as gs
from gradstep import mpi

opt = mpi.Sharded(gs.Adam, {"w": np.ones(3)})
opt.step({"w": np.ones(3)})
if MPI.COMM_WORLD.rank == 1:
    raise ZeroDivisionError("of the user's own code")
opt.step({"w": np.ones(3)})
