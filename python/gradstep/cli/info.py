"""`gradstep info`: what a bug report should say."""

import argparse
import os
import platform

import numpy as np

import gradstep as gs
from gradstep import _core
from gradstep.cli.command import Command

ENVIRONMENT = ("GRADSTEP_NUM_THREADS", "GRADSTEP_SIMD")
"""The environment variables that gradstep reads."""


def facts() -> dict[str, str]:
    """Collect versions, the machine, and what is in force."""
    return {
        "gradstep": gs.__version__,
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "NumPy": np.__version__,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "SIMD tier": f"{_core.simd_tier()} (supported: {', '.join(_core.simd_tiers())})",
        "threads": str(gs.get_num_threads()),
        **{name: shown(os.environ.get(name, "(not set)")) for name in ENVIRONMENT},
    }


def shown(text: str) -> str:
    r"""Give a text that everybody can print; bytes that are not UTF-8 as such, and with a word.

    Example:
        >>> shown("avx2"), shown(os.fsdecode(b"avx\xff"))
        ('avx2', 'avx\\xff (not UTF-8)')
    """
    try:
        return os.fsencode(text).decode()
    except UnicodeDecodeError:
        return os.fsencode(text).decode(errors="backslashreplace") + " (not UTF-8)"


def run(_: argparse.Namespace) -> int:
    """Print the facts, one a line."""
    table = facts()
    width = max(map(len, table))
    for name, value in table.items():
        print(f"{name.ljust(width)}  {value}")
    return 0


COMMAND = Command(
    name="info",
    summary="Print versions, the machine, and the SIMD tier and number of threads in force.",
    add_arguments=lambda _: None,
    run=run,
)
