"""Runs all trainings on ranks, and prints what they came to.

Arguments: ``large`` for state that is spread, whatever the size of the model, or ``small`` for the other
way; and an expression for the names of those to run.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from mpi4py import MPI

from bits import digest
from gradstep import mpi
from gradstep.mpi import layouts, replicas
from ranks.cases import OPTIMIZERS, Case, cases, gathered, outcome
from trees import leaves

COMM = MPI.COMM_WORLD


def run(case: Case, views: bool) -> dict[str, Any]:
    params = case.params()
    if views:
        params = mpi.flatten(params)
    opt: Any = mpi.Sharded(OPTIMIZERS[case.rule], params, parts=case.parts, **case.options)
    for t in range(case.steps):
        case.before(opt, t)
        if len(opt.parts) == 1:
            given = case.grads(t, opt.parts[0])
            before = digest(array for array in leaves(given) if array is not None)
            opt.step(given, loss=case.loss(t, opt.parts[0]))
            assert digest(array for array in leaves(given) if array is not None) == before
            continue
        for part in opt.parts:
            opt.add(case.grads(t, part), loss=case.loss(t, part))
        opt.step()
    return outcome(opt, params, gathered(opt, COMM, sys.argv[1] == "small"), opt.loss)


def main() -> None:
    layouts.LARGE = 1 << 12
    replicas.LARGEST = 0 if sys.argv[1] == "large" else 1 << 40
    came: dict[str, Any] = {}
    for i, (name, case) in enumerate(cases()):
        if not re.search(sys.argv[2], name):
            continue
        came[name] = run(case, views=i % 2 == 0)
    for rank, other in enumerate(COMM.allgather(came)):
        assert other == came, f"rank {rank} has come to something else"
    if COMM.rank == 0:
        print(json.dumps(came))


if __name__ == "__main__":
    main()
