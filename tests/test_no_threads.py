"""A system that refuses threads: the caller steps alone, and threads are asked for again later."""

from __future__ import annotations

import sys

import pytest

from processes import printed

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="limits and names of threads are Linux's"),
    pytest.mark.not_sanitized,
]

SCRIPT = """
import os, pathlib, resource, threading, time
import numpy as np
import gradstep as gs

SIZE = 300_000
own = pathlib.Path("/proc/self")
g = np.cos(np.arange(float(SIZE)))

def model():
    p = np.linspace(-1, 1, SIZE)
    return p, gs.Adam(p, lr=0.01, clip_norm=1.0)

(p, opt), (q, alone) = model(), model()

def step():
    with gs.num_threads(5):
        opt.step(g)
    with gs.num_threads(1):
        alone.step(g)
    assert (p == q).all() and opt.grad_norm == alone.grad_norm

def helpers():
    return sum("gradstep" in (task / "comm").read_text() for task in (own / "task").iterdir())

def room(more):
    pages = int((own / "statm").read_text().split()[0])
    return resource.RLIMIT_AS, pages * resource.getpagesize() + more

def nobody(processes):
    # Root may have as many as it likes.
    if os.getuid() == 0:
        os.setuid(65534)
    return resource.RLIMIT_NPROC, processes

# What only the first step takes memory for, has been taken.
with gs.num_threads(1):
    opt.step(g), alone.step(g)
assert helpers() == 0
threading.stack_size(64 << 20)
limit, value = REFUSED_BY
before = resource.getrlimit(limit)
resource.setrlimit(limit, (value, before[1]))
try:
    step()
    threading.Thread(target=int).start()
except RuntimeError:
    pass
else:
    raise SystemExit("this system does not hold to the limit")
finally:
    resource.setrlimit(limit, before)
step()
time.sleep(1.1)
assert helpers() == 0, "they were asked for again at once"
end = time.monotonic() + 30
while helpers() < 4:
    assert time.monotonic() < end, "they were never asked for again"
    step()
print("right")
"""

#: There is room for no stack; for two of four; and the user may have no more processes.
REFUSED_BY = ["room(1 << 20)", "room(5 << 20)", "nobody(1)"]


@pytest.mark.parametrize("limit", REFUSED_BY)
def test_threads_are_refused_and_asked_for_again(limit: str) -> None:
    assert printed(SCRIPT.replace("REFUSED_BY", limit), OPENBLAS_NUM_THREADS="1") == "right"
