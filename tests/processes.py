"""Running Python in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python arguments` with these environment variables and none of ours from outside."""
    ours = ("GRADSTEP_SIMD", "GRADSTEP_NUM_THREADS", "OMP_NUM_THREADS")
    environment = {key: value for key, value in os.environ.items() if key not in ours} | variables
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def printed(code: str, **variables: str) -> str:
    """What `code` prints; it must succeed."""
    done = run("-c", code, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def mpiexec() -> str | None:
    """The MPI launcher beside this Python, if mpi4py is there too."""
    found = shutil.which("mpiexec", path=str(Path(sys.executable).parent))
    return found if find_spec("mpi4py") is not None else None


needs_ranks = pytest.mark.skipif(
    mpiexec() is None,
    reason="no mpiexec beside this Python, or no mpi4py; they are in the group test",
)

#: What Open MPI wants before it runs as root, and on more ranks than cores; MPICH looks at none of it.
OPEN_MPI = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}


def python_path() -> str:
    """Where programs find these files, and what is found there already."""
    return os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])


def ranks(count: int, module: str, *arguments: str, **variables: str) -> str:
    """What a module of `ranks` prints on so many ranks; it must succeed. A hang is a failure.

    A variable that is empty is not there.
    """
    launcher = mpiexec()
    assert launcher is not None
    quiet = {"GRADSTEP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": python_path()}
    command = [
        launcher,
        "-n",
        str(count),
        sys.executable,
        "-m",
        "mpi4py",
        "-m",
        f"ranks.{module}",
        *arguments,
    ]
    environment = os.environ | OPEN_MPI | quiet | variables
    environment = {key: value for key, value in environment.items() if value}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            printed, errors = process.communicate(timeout=240)
        except BaseException:
            process.terminate()  # the launcher ends its ranks
            raise
    assert process.returncode == 0, errors[-4000:]
    return printed.strip()
