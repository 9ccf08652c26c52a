"""Data-parallel training over MPI: the digits network on 1, 2 and 4 ranks, to the same last bit.

What it teaches: a batch is cut into parts, and ranks share the parts. Each adds up the gradients of its own,
and `gradstep.mpi.Sharded` makes one step of the mean of all of them:

    opt = mpi.Sharded(gs.Adam, params, parts=8)     whatever the number of ranks
    for part in opt.parts:                          this rank's share of range(8)
        opt.add(gradients of batch[part::8])
    opt.step()                                      on all ranks, or on none

The sum is taken in a tree over the parts that knows nothing of ranks, so the bits do not depend on their
number. This program starts itself under ``mpiexec``, which `pip install mpi4py mpich` brings. Yours runs as

    OPENBLAS_NUM_THREADS=1 mpiexec -n 4 python -m mpi4py train.py

What to look at: one digest of the parameters on 1, 2 and 4 ranks. The second table is computed, from the time
of an update here and a network that is assumed: what a step sends does not shrink with the number of ranks,
what each of them updates and remembers does.
"""

import hashlib
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import gradstep as gs
from gradstep.demo.digits import split
from gradstep.demo.network import accuracy, initial_params, loss_and_grads

PARTS = 8
EPOCHS = 5
BATCH_SIZE = 128
RANKS = (1, 2, 4)

ELEMENTS = 124_439_808
"""Of GPT-2."""
BYTES_A_SECOND = 10e9
LATENCY = 2e-6
"""Seconds of a message. Both are assumed: a network of 100 Gbit/s."""


def train() -> None:
    """Train on the ranks that there are, and print what came of it."""
    from gradstep import mpi

    digits, rng = split(), np.random.default_rng(0)
    params = mpi.flatten(initial_params(rng, (64, 128, 10)))
    opt = mpi.Sharded(gs.Adam, params, parts=PARTS, lr=gs.schedules.Cosine(3e-3, steps=60), clip_norm=1.0)
    curve = []
    for _ in range(EPOCHS):
        order = rng.permutation(len(digits.train_labels))
        for start in range(0, len(order) - BATCH_SIZE + 1, BATCH_SIZE):
            for part in opt.parts:
                rows = order[start : start + BATCH_SIZE][part::PARTS]
                loss, grads = loss_and_grads(params, digits.train_images[rows], digits.train_labels[rows])
                opt.add(grads, loss=loss)
            opt.step()
        curve.append(f"{opt.loss:.6f}")
    if opt.parts.start == 0:
        arrays = [array for layer in params.values() for array in layer.values()]
        digest = hashlib.sha256(b"".join(map(bytes, arrays))).hexdigest()[:16]
        share = accuracy(params, digits.test_images, digits.test_labels)
        print(digest, f"{share:.4f}", *curve)


def on_ranks(ranks: int) -> list[str]:
    """Run this program on so many ranks; give what it prints."""
    mpiexec = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or shutil.which("mpiexec")
    if mpiexec is None:
        raise SystemExit("there is no mpiexec: pip install mpi4py mpich")
    command = [mpiexec, "-n", str(ranks), sys.executable, "-m", "mpi4py", __file__, "rank"]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=120
    )
    return done.stdout.split()


def update_seconds() -> float:
    """Measure what Adam takes for an element, in large arrays."""
    w, g = np.zeros(1 << 22, np.float32), np.ones(1 << 22, np.float32)
    opt = gs.Adam({"w": w})
    times = []
    for _ in range(5):
        start = time.perf_counter()
        opt.step({"w": g})
        times.append(time.perf_counter() - start)
    return min(times) / w.size


def step_seconds(ranks: int, update: float, sharded: bool) -> float:
    """Compute what a step of so many ranks takes: bytes, messages, update."""
    sent = 2 * (ranks - 1) / ranks * 4 * ELEMENTS / BYTES_A_SECOND
    messages = (2 * (ranks - 1) + 3 * math.log2(ranks) if sharded else 2 * math.log2(ranks)) * LATENCY
    return sent + messages + update * ELEMENTS / (ranks if sharded else 1)


def main() -> dict[int, list[str]]:
    """Train on 1, 2 and 4 ranks, and print what that came to; then the table."""
    print("ranks  digest            accuracy  loss after each epoch", flush=True)
    results = {}
    for ranks in RANKS:
        digest, share, *curve = results[ranks] = on_ranks(ranks)
        print(f"{ranks:5}  {digest}  {float(share):8.2%}  {'  '.join(curve)}", flush=True)
    update = update_seconds()
    print(f"\ncomputed, not measured: {ELEMENTS:,} float32 under Adam, {BYTES_A_SECOND / 1e9:.0f} GB/s")
    print(
        "a rank, as if each had a machine of this kind; the update takes",
        f"{update * 1e9:.2f} ns an element here",
    )
    print("ranks  a step, sharded   allreduce, and all of Adam   state of a rank")
    for ranks in (1, 2, 4, 64, 1024):
        both = [step_seconds(ranks, update, sharded) * 1e3 for sharded in (True, False)]
        state = 8 * ELEMENTS / ranks / 1e6
        print(f"{ranks:5}  {both[0]:12.1f} ms  {both[1]:22.1f} ms  {state:12.1f} MB")
    return results


if __name__ == "__main__":
    if sys.argv[1:] == ["rank"]:
        train()
    else:
        main()
