"""Where memory is short there is a MemoryError: no abort, no panic, no hang."""

from __future__ import annotations

import sys
from typing import NamedTuple

import pytest

from processes import printed

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="limits and size of the address space are Linux's"),
    pytest.mark.not_sanitized,
]


class Action(NamedTuple):
    """What is done while there is less and less memory."""

    prepare: str
    action: str
    each: str = ""
    """What is prepared for each try."""
    unchanged: str = "True"
    """What holds if there was no memory."""
    growth: float = 1.2
    """How the memory that is left grows from try to try."""


MODEL = "x = {i: np.ones(2) for i in range(20_000)}"
GROUPS = "x = [{'params': np.ones(2)} for _ in range(20_000)]"

ACTIONS = {
    "Table of a list": Action("x = [0.5] * 3_000_000", "Table(x)"),
    "Table of integers": Action("x = list(range(1_000_000))", "Table(x)"),
    "Table of an array": Action("x = np.ones(3_000_000, np.float32)[::2]", "Table(x)"),
    "MultiStep": Action("x = range(1_000_000)", "MultiStep(1.0, x, 0.999)"),
    "MultiStep of an array": Action("x = np.arange(1_000_000)", "MultiStep(1.0, x, 0.999)"),
    "Piecewise": Action("x = list(range(1_000_000)); y = np.ones(1_000_001)", "Piecewise(x, y)"),
    "Join": Action("x = [Constant(float(i)) for i in range(100_000)]; y = range(1, 100_000)", "Join(x, y)"),
    "Join of feedback": Action(
        "x = [LossScaled(Constant(1.0), 1.0) for _ in range(100_000)]; y = range(1, 100_000)",
        "Join(x, y)",
    ),
    "evaluation": Action("x = Cosine(1.0, 10**6); t = np.arange(10**7)", "x(t)"),
    "evaluation of int32": Action("x = Cosine(1.0, 10**6); t = np.arange(10**6, dtype=np.int32)", "x(t)"),
    "evaluation of a composition": Action(
        "x = (Cosine(1.0, 10**6) * 0.5).warmup(99).clip(0.0, 1.0); t = np.arange(10**6)",
        "x(t)",
    ),
    "evaluation of a function": Action("x = Lambda(lambda t: t / 7); t = np.arange(100_000)", "x(t)"),
    "repr": Action("x = Table(np.random.default_rng(0).random(100_000))", "repr(x)"),
    "hash": Action("x = Table(np.ones(3_000_000))", "hash(x)"),
    "==": Action("x, y = Table(np.ones(3_000_000)), Table(np.ones(3_000_000))", "x == y"),
    "pickle": Action("x = pickle.dumps(Table(np.ones(3_000_000)))", "pickle.loads(x)"),
    "deepcopy": Action(
        "x = Join([LossScaled(Constant(1.0), 1.0)] + [Constant(1.0)] * 300_000, range(1, 300_001))",
        "copy.deepcopy(x)",
    ),
    "optimizer": Action(MODEL, "gs.Adam(x)"),
    "optimizer of a list": Action("x = [np.ones(2) for _ in range(200_000)]", "gs.Adam(x)", growth=1.5),
    "optimizer of groups": Action(GROUPS, "gs.Adam(x)"),
    "optimizer with sums of each array": Action(MODEL, "gs.LAMB(x)"),
    "optimizer of a nested structure": Action(
        "x = [[[np.ones(2)] for _ in range(9)] for _ in range(2000)]", "gs.SGD(x)"
    ),
    "optimizer of a large array": Action("x = np.ones(3_000_000)", "gs.Adam(x)"),
    "first step": Action(
        MODEL, "opt.step(x)", "opt = gs.Adam(x, lr=0.0, clip_norm=1.0, clip_value=1.0)", "opt.step_count == 0"
    ),
    "first step of groups": Action(
        GROUPS, "opt.step(g)", "g = [np.ones(2)] * 20_000; opt = gs.LAMB(x)", "opt.step_count == 0"
    ),
    "state": Action(MODEL, "opt.state", "opt = gs.Adam(x)"),
    "params": Action(MODEL, "opt.params", "opt = gs.Adam(x)"),
    "rates of groups": Action(GROUPS + "; opt = gs.SGD(x)", "opt.lr"),
    "a new rate of groups": Action(GROUPS + "; opt = gs.SGD(x)", "opt.lr = Constant(0.5)"),
    "a new limit of groups": Action(GROUPS + "; opt = gs.SGD(x)", "opt.clip_norm = 1.0"),
    "hyperparameters of groups": Action(GROUPS + "; opt = gs.SGD(x)", "opt.hyperparameters"),
    "scalars of groups": Action(GROUPS + "; opt = gs.DoG(x)", "opt.scalars"),
    "scalars of groups assigned": Action(GROUPS + "; opt = gs.DoG(x); y = opt.scalars", "opt.scalars = y"),
    "repr of groups": Action(GROUPS + "; opt = gs.DoG(x)", "repr(opt)"),
    "norm": Action(
        "x = np.ones(30_000_000)", "opt.step(x)", "opt = gs.SGD(x, clip_norm=1.0)", "opt.step_count == 0", 2.0
    ),
    "converted gradient": Action(
        "x, g = np.ones(3_000_000), np.ones(3_000_000, np.float16)",
        "opt.step(g)",
        "opt = gs.SGD(x)",
        "opt.step_count == 0",
    ),
    "gradient in another order": Action(
        "x, g = np.ones((2000, 1500)), np.ones((1500, 2000), np.float32).T",
        "opt.step(g)",
        "opt = gs.SGD(x)",
        "opt.step_count == 0",
    ),
    "observation": Action(
        "x = np.ones(2); y = Join([LossScaled(Constant(1.0), 1.0) for _ in range(10_000)], range(1, 10_000))",
        "opt.step(x, loss=1.0)",
        "opt = gs.SGD(x, lr=y)",
        "opt.step_count == 0",
    ),
    "feedback_state": Action(
        "x = Join([LossScaled(Constant(1.0), 1.0) for _ in range(10_000)], range(1, 10_000))",
        "opt.feedback_state",
        "opt = gs.SGD(np.ones(2), lr=x)",
    ),
    "feedback_state assigned": Action(
        "x = Join([LossScaled(Constant(1.0), 1.0) for _ in range(10_000)], range(1, 10_000))",
        "opt.feedback_state = y",
        "opt = gs.SGD(np.ones(2), lr=x); y = opt.feedback_state",
    ),
}
SCRIPT = """
import copy, gc, pickle, resource
import numpy as np
import gradstep as gs
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
    EACH
    resource.setrlimit(resource.RLIMIT_AS, (address_space() + margin, no_limit[1]))
    try:
        ACTION
    except MemoryError:
        enough = 0
        unchanged = UNCHANGED
    else:
        enough += 1
    finally:
        resource.setrlimit(resource.RLIMIT_AS, no_limit)
    assert enough or unchanged
    margin = int(margin * GROWTH) + 4096
print("enough")
"""


@pytest.mark.parametrize("name", ACTIONS)
def test_short_memory(name: str) -> None:
    prepare, action, each, unchanged, growth = ACTIONS[name]
    script = SCRIPT.replace("PREPARE", prepare).replace("ACTION", action).replace("UNCHANGED", unchanged)
    script = script.replace("EACH", each or "pass").replace("GROWTH", str(growth))
    assert printed(script, RUST_BACKTRACE="1") == "enough"


THREADS = """
import resource
import numpy as np
import gradstep as gs

x = np.ones((3000, 64), np.float32)
opt, g = gs.Adam(x), GRADIENT
gs.set_num_threads(1)
opt.step(g)
gs.set_num_threads(1024)
with open("/proc/self/statm", "rb") as statm:
    used = int(statm.read().split()[0]) * resource.getpagesize()
no_limit, size, heap = resource.getrlimit(resource.RLIMIT_AS), 1 << 16, []
resource.setrlimit(resource.RLIMIT_AS, (used, no_limit[1]))
while size >= 1024:  # what the heap has left
    try:
        heap.append(bytearray(size))
    except MemoryError:
        size //= 2
try:
    opt.step(g)
except MemoryError:
    pass
resource.setrlimit(resource.RLIMIT_AS, no_limit)
print(opt.step(g))
"""


@pytest.mark.parametrize("gradient", ["x.copy()", "gs.Rows(np.arange(3000), x.copy())"])
def test_threads_without_memory_for_them_end_nothing(gradient: str) -> None:
    assert printed(THREADS.replace("GRADIENT", gradient)) == "True"


LARGE = """
import resource, tempfile
import numpy as np
import gradstep as gs

with tempfile.TemporaryFile() as file:
    x = np.memmap(file, np.float32, "w+", shape=2**31)
    with open("/proc/self/statm", "rb") as statm:
        used = int(statm.read().split()[0]) * resource.getpagesize()
    for more in (1 << 20, 1 << 30, 15 << 30):
        resource.setrlimit(resource.RLIMIT_AS, (used + more, resource.RLIM_INFINITY))
        try:
            gs.Adam(x)
        except MemoryError:
            print(len(gs.SGD(x).state["0"]), end=" ")
"""


def test_a_state_of_sixteen_gigabytes() -> None:
    """The parameter is a file that takes no room; without state it can be updated."""
    assert printed(LARGE, RUST_BACKTRACE="1") == "0 0 0"
