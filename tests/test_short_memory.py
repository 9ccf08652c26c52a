"""Where memory is short there is a MemoryError: no abort, no panic, no hang."""

from __future__ import annotations

import sys

import pytest

from processes import printed

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="limits and size of the address space are Linux's"
)

#: What is prepared while there is memory, and what is done while there is less and less of it.
ACTIONS: dict[str, tuple[str, str]] = {
    "Table of a list": ("x = [0.5] * 3_000_000", "Table(x)"),
    "Table of integers": ("x = list(range(1_000_000))", "Table(x)"),
    "Table of an array": ("x = np.ones(3_000_000, np.float32)[::2]", "Table(x)"),
    "MultiStep": ("x = range(1_000_000)", "MultiStep(1.0, x, 0.999)"),
    "MultiStep of an array": ("x = np.arange(1_000_000)", "MultiStep(1.0, x, 0.999)"),
    "Piecewise": ("x = list(range(1_000_000)); y = np.ones(1_000_001)", "Piecewise(x, y)"),
    "Join": ("x = [Constant(float(i)) for i in range(100_000)]; y = range(1, 100_000)", "Join(x, y)"),
    "Join of feedback": (
        "x = [LossScaled(Constant(1.0), 1.0) for _ in range(100_000)]; y = range(1, 100_000)",
        "Join(x, y)",
    ),
    "evaluation": ("x = Cosine(1.0, 10**6); t = np.arange(10**7)", "x(t)"),
    "evaluation of int32": ("x = Cosine(1.0, 10**6); t = np.arange(10**6, dtype=np.int32)", "x(t)"),
    "evaluation of a composition": (
        "x = (Cosine(1.0, 10**6) * 0.5).warmup(99).clip(0.0, 1.0); t = np.arange(10**6)",
        "x(t)",
    ),
    "evaluation of a function": ("x = Lambda(lambda t: t / 7); t = np.arange(100_000)", "x(t)"),
    "repr": ("x = Table(np.random.default_rng(0).random(300_000))", "repr(x)"),
    "hash": ("x = Table(np.ones(3_000_000))", "hash(x)"),
    "==": ("x, y = Table(np.ones(3_000_000)), Table(np.ones(3_000_000))", "x == y"),
    "pickle": ("x = pickle.dumps(Table(np.ones(3_000_000)))", "pickle.loads(x)"),
    "deepcopy": (
        "x = Join([LossScaled(Constant(1.0), 1.0)] + [Constant(1.0)] * 300_000, range(1, 300_001))",
        "copy.deepcopy(x)",
    ),
}
SCRIPT = """
import copy, gc, pickle, resource
import numpy as np
from gradstep.feedback import LossScaled
from gradstep.schedules import *

def address_space():
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[0]) * resource.getpagesize()

# The threads are there before memory is short: that a thread cannot begin is the C library's affair.
Cosine(1.0, 9)(np.arange(300_000))
PREPARE
gc.collect()
no_limit = resource.getrlimit(resource.RLIMIT_AS)
margin, enough = 0, 0
while enough < 2:
    resource.setrlimit(resource.RLIMIT_AS, (address_space() + margin, no_limit[1]))
    try:
        ACTION
    except MemoryError:
        enough = 0
    else:
        enough += 1
    finally:
        resource.setrlimit(resource.RLIMIT_AS, no_limit)
    margin = int(margin * 1.2) + 4096
print("enough")
"""


@pytest.mark.parametrize("name", ACTIONS)
def test_short_memory(name: str) -> None:
    prepare, action = ACTIONS[name]
    script = SCRIPT.replace("PREPARE", prepare).replace("ACTION", action)
    assert printed(script, RUST_BACKTRACE="1") == "enough"
