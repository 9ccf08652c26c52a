"""The page of the documentation that shows the benchmark's results."""

from pathlib import Path

from gradstep.bench import rounds
from gradstep.bench.results import Results
from gradstep.tables import as_markdown

HOW = """\
## How it is measured

- Everybody computes the same update with the same hyperparameters on arrays of equal values; before
  anything is timed, three steps of each are compared with gradstep's, and a difference beyond rounding ends
  the run.
- All contenders run in one process, in every round once, in an order that rotates. A time is the median
  over the rounds; a ratio is the median of the ratios within each round.
- Before every measurement the process sleeps {settle:g} ms and the contender takes one step that is not
  timed. The workers of torch and numba go on spinning for some milliseconds after their step, and would
  take a core from whoever comes next.
- A step shorter than {sample:g} µs is repeated until that time is reached, so that small arrays are in
  cache. Python's garbage collector is off. Every library may use as many threads as gradstep.
- *In training* each step comes right after a forward and a backward pass in NumPy, whose matrix products
  have just written its gradients; only the step is timed. Its share of the loop is from the same rounds.
  The workers of NumPy's BLAS spin for a while after a product, and on few cores the parallel regions of torch
  and numba wait for them; `OPENBLAS_NUM_THREADS=1` shows how it is without.
- *NumPy, textbook* is one line per line of the paper, with temporaries. *NumPy, in place* has `out=`
  everywhere, preallocated scratch and constants folded by hand. *torch* has its tensors over the same
  memory; with clipping it calls `clip_grad_norm_` first. *numba* is one compiled call a tensor; *∥* is
  with `parallel=True`; *unchecked* is with `error_model="numpy"`, which leaves out the check for a division
  by zero that numba makes by default, and so lets the loop vectorise; *fastmath* is with `fastmath=True` as
  well, which trades the results of IEEE arithmetic for speed, as no other contender does.
- *Gradients of some rows* name rows of a table, a fifth of them twice, other ones at each step.
  *NumPy, rows* sorts and sums them (`np.add.reduceat`), gathers, updates and puts back; for SGD it is
  `np.subtract.at`. *torch, sparse* is `SparseAdam`, or SGD, with a sparse gradient. *numba ∥* adds up no
  duplicates, which is less work and another result.
- *State in fewer bits* is one array, in a cache and in memory, whose bandwidth on many machines is now one
  and now another: the table says which it was. `"8bit"` looks for gradients that are not finite first.
- *Achieved* compares a step's memory traffic with that of a kernel that streams through as many arrays,
  each of them contiguous, and does one addition an element.

## Your own machine

    gradstep bench --limit --sparse --state

shows the rows for NumPy; torch and numba join in where they are installed. To make this page from a
checkout, with an environment that has both (torch is a download of some GB):

    python3 -m venv ~/bench-venv
    ~/bench-venv/bin/pip install numpy matplotlib numba torch
    make bench BENCH_PYTHON=~/bench-venv/bin/python

`make perf-check` measures the ratios that the project promises itself, and fails if one is missed.
"""


def render(results: Results, command: str, picture: Path | None) -> str:
    """Write the page in Markdown.

    Args:
        results: what the benchmark found.
        command: what measures it again.
        picture: where the plot is, seen from the page.
    """
    heading = "  \n> ".join(results.heading())
    parts = ["# Benchmarks", f"Made by `{command}` on\n\n> {heading}"]
    if picture:
        parts.append(f"![Speed-ups of gradstep over other implementations]({picture.as_posix()})")
    for title, table in results.sections(as_markdown):
        parts += [f"## {title}", table]
    how = HOW.format(settle=rounds.SETTLE_SECONDS * 1e3, sample=rounds.SAMPLE_SECONDS * 1e6)
    return "\n\n".join(parts) + "\n\n" + how
