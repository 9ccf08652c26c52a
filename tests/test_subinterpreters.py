"""docs/interpreters.md: its example runs, and what it says of `import gradstep` in subinterpreters holds."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from processes import printed

PAGE = (Path(__file__).parent.parent / "docs" / "interpreters.md").read_text("utf-8")
own_locks = pytest.mark.skipif(sys.version_info < (3, 12), reason="locks of their own came with Python 3.12")

NO_LOADING = "module gradstep._core does not support loading in subinterpreters"
ONLY_ONCE = "cannot load module more than once per process"
MAKE = """
import sys
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    def start(isolated):
        return interpreters.create("isolated" if isolated else "legacy")
else:
    import _xxsubinterpreters as interpreters
    def start(isolated):
        return interpreters.create(isolated=isolated)
def attempt(isolated):
    code = (
        f"import sys; sys.path[:] = {sys.path!r}\\n"
        "try:\\n"
        "    import gradstep._core\\n"
        "    print('imported')\\n"
        "except ImportError as error:\\n"
        "    print(str(error).splitlines()[-1], flush=True)\\n"
    )
    failed = interpreters.run_string(start(isolated), code)
    assert failed is None, failed
"""


def test_the_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert printed(example) == "the same bits: True"


@own_locks
def test_an_interpreter_with_a_lock_of_its_own() -> None:
    found = printed(MAKE + "attempt(isolated=True)")
    assert found == NO_LOADING
    assert f"`ImportError: {NO_LOADING}`" in PAGE


@own_locks
def test_a_second_interpreter_after_the_main_one() -> None:
    code = (
        "import numpy as np, gradstep as gs\n"
        "w = np.ones(300_000, np.float32)\n"
        "opt = gs.Adam(w, lr=0.5)\n"
        "opt.step(w)\n"
    )
    after = "attempt(isolated=False)\nattempt(isolated=True)\nopt.step(w)\nprint(opt.step_count)"
    one, other, count = printed(code + MAKE + after).splitlines()[-3:]
    assert (one, other) == (ONLY_ONCE, NO_LOADING)
    assert f"`ImportError: {ONLY_ONCE}`" in PAGE
    assert count == "2"
