"""What the numbers were measured on."""

import os
import platform
from pathlib import Path

import gradstep as gs
from gradstep import _core
from gradstep.bench.contenders import versions


def cpu() -> str:
    """Name the processor's model, as far as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def facts() -> dict[str, str]:
    """Collect the machine, what is in force, and the versions of all that takes part."""
    return {
        "CPU": cpu(),
        "cores": str(os.cpu_count()),
        "platform": platform.platform(),
        "SIMD tier": _core.simd_tier(),
        "threads": str(gs.get_num_threads()),
        "Python": platform.python_version(),
        **versions(),
    }
