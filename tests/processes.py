"""Running Python in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
