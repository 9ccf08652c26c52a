"""Data-parallel training over MPI, with the optimizer's state spread over the ranks.

It wants mpi4py and an MPI, which nothing else of gradstep does: ``pip install 'gradstep[mpi]' mpich``.
"""

from gradstep.mpi.errors import RankError
from gradstep.mpi.flattening import flatten
from gradstep.mpi.sharded import Sharded

__all__ = ["RankError", "Sharded", "flatten"]
