"""What the numbers were measured on."""

import os
import platform
from pathlib import Path

import gradstep as gs
from gradstep import _core


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
    """Collect the machine and what is in force."""
    return {
        "CPU": cpu(),
        "cores": str(os.cpu_count()),
        "platform": platform.platform(),
        "Python": platform.python_version(),
        "SIMD tier": _core.simd_tier(),
        "threads": str(gs.get_num_threads()),
    }


def is_busy() -> bool:
    """Tell whether programs took half a core or more in the last minute, where the system says it."""
    try:
        return os.getloadavg()[0] >= 0.5
    except OSError:
        return False
