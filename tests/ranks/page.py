"""Runs the examples of docs/mpi.md, one after the other, in a folder that it is given."""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

TEXT = (Path(__file__).parents[2] / "docs" / "mpi.md").read_text(encoding="utf-8")


def main() -> None:
    os.chdir(sys.argv[1])
    names: dict[str, Any] = {"__name__": "example"}
    told = io.StringIO()
    with redirect_stdout(told):
        for code in re.findall(r"^```py\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE):
            exec(compile(code, "mpi.md", "exec"), names)
    assert names["extra"] == {"epoch": 3}
    tables = MPI.COMM_WORLD.allgather(names["table"].tobytes())
    assert tables == tables[:1] * len(tables)
    assert 8 < np.count_nonzero(names["table"].any(axis=1)) < 16 * len(tables)
    everything = MPI.COMM_WORLD.gather(told.getvalue())
    if everything is not None:
        print("".join(everything))


if __name__ == "__main__":
    main()
