"""`gradstep info`: what a bug report should say."""

import argparse
import os
import platform
import sys
import sysconfig
from importlib import metadata

import numpy as np

import gradstep as gs
from gradstep import _core
from gradstep.bench import machine
from gradstep.cli.arguments import add_json
from gradstep.cli.command import Command, Example
from gradstep.cli.output import complain, write_json

ENVIRONMENT = ("GRADSTEP_NUM_THREADS", "GRADSTEP_SIMD")
"""The environment variables that gradstep reads."""
THREADS_OF_OTHERS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Those of NumPy's BLAS, shown if they are set."""
NEIGHBOURS = (
    "ml_dtypes", "safetensors", "matplotlib", "scipy", "mpi4py", "torch", "jax", "numba", "threadpoolctl",
)  # fmt: skip
"""Packages that gradstep works with, or whose threads run beside its own."""
FENCE = "```"


def facts() -> dict[str, str]:
    """Collect versions, the machine, and what is in force."""
    return {
        "gradstep": gs.__version__,
        "Python": f"{platform.python_version()} ({platform.python_implementation()}{threading()})",
        "NumPy": f"{np.__version__} ({blas()})",
        "also installed": ", ".join(neighbours()) or "(nothing that gradstep works with)",
        "platform": platform.platform(),
        "machine": platform.machine(),
        "CPU": machine.cpu(),
        "cores": f"{cores()} of {os.cpu_count()}",
        "memory": memory(),
        "SIMD tier": f"{_core.simd_tier()} (supported: {', '.join(_core.simd_tiers())})",
        "threads": str(gs.get_num_threads()),
        **{name: shown(os.environ.get(name, "(not set)")) for name in ENVIRONMENT},
        **{name: shown(os.environ[name]) for name in THREADS_OF_OTHERS if name in os.environ},
    }


def threading() -> str:
    """Say so where Python has free threads, and whether it uses them."""
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        return ""
    has_lock = getattr(sys, "_is_gil_enabled", lambda: True)()
    return ", free-threaded, " + ("with the GIL" if has_lock else "without the GIL")


def blas() -> str:
    """Name the library that multiplies NumPy's matrices, whose threads run beside gradstep's."""
    configuration = np.show_config(mode="dicts")
    found = (configuration or {}).get("Build Dependencies", {}).get("blas", {})
    return " ".join(filter(None, (found.get("name"), found.get("version")))) or "BLAS unknown"


def neighbours() -> list[str]:
    """Name the installed ones, with their versions."""
    found = []
    for name in NEIGHBOURS:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return found


def cores() -> int | str:
    """Count the cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return "all"


def memory() -> str:
    """Tell how much memory the machine has."""
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"
    except (AttributeError, ValueError, OSError):
        return "(not known)"


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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_json(parser, "the same facts")


def run(arguments: argparse.Namespace) -> int:
    """Print the facts, one a line, as a block of code that an issue shows as it is."""
    table = facts()
    if arguments.json:
        try:
            write_json(arguments.json, table)
        except OSError as error:
            complain(f"gradstep info: cannot write the results: {error}")
            return 1
        return 0
    width = max(map(len, table))
    print(FENCE, *(f"{name.ljust(width)}  {value}" for name, value in table.items()), FENCE, sep="\n")
    return 0


COMMAND = Command(
    name="info",
    summary="Print what a bug report should say: versions, the machine, the SIMD tier and the threads.",
    add_arguments=add_arguments,
    run=run,
    examples=(
        Example("To be pasted into a bug report", "gradstep info"),
        Example("For programs", "gradstep info --json"),
    ),
)
