"""What `import gradstep` brings, and what comes when it is asked for."""

import subprocess
import sys

import pytest


def printed(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_training_loop_imports_nothing_that_it_does_not_use() -> None:
    loop = "import numpy as np, gradstep as gs; p = np.ones(3); gs.Adam(p).step(p.copy()); import sys; "
    few = ("archives", "checkpoints.loading", "directories.directory", "history", "minimizing", "sweeps")
    wanted = ["fractions", "zipfile", *(f"gradstep.{name}" for name in few)]
    assert printed(f"{loop}print([name for name in {wanted} if name in sys.modules])") == "[]"


PACKAGES = ("gradstep", "gradstep.checkpoints", "gradstep.directories")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_is_there_when_it_is_asked_for(package: str) -> None:
    asked = f"import {package} as m; print([n for n in m.__all__ if getattr(m, n, None) is None])"
    assert printed(asked) == "[]"
    asked = f"import {package} as m; from {package} import *; print(set(m.__all__) - set(globals()))"
    assert printed(asked) == "set()"


def test_names_are_listed_before_they_are_asked_for() -> None:
    assert printed("import gradstep as gs; print(set(gs.__all__) <= set(dir(gs)))") == "True"


@pytest.mark.parametrize("package", PACKAGES)
def test_others_are_not_there(package: str) -> None:
    asked = f"import {package} as m\ntry: m.nothing\nexcept AttributeError as error: print(error)"
    assert printed(asked) == f"module '{package}' has no attribute 'nothing'"
