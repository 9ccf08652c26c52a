"""What `import gradstep` brings, and what comes when it is asked for."""

from pathlib import Path

import pytest

from processes import printed


def test_importing_brings_nothing_that_few_programs_use() -> None:
    few = ("archives", "checkpoints.loading", "directories.directory", "history", "minimizing", "sweeps")
    wanted = ["fractions", "zipfile", *(f"gradstep.{name}" for name in few)]
    asked = f"import gradstep, sys; print([name for name in {wanted} if name in sys.modules])"
    assert printed(asked) == "[]"


SAVED = """
import os, pickle, sys
import numpy as np
import gradstep as gs
os.chdir(FOLDER)
p = {"w": np.ones(5000, np.float32)}
opt = gs.Adam(p, **OPTIONS)
before = set(sys.modules)
opt.step(p)
opt.load_state_dict(opt.state_dict())
gs.save("saved.npz", opt)
gs.save("saved.safetensors", opt)
gs.load("saved.npz", opt)
pickle.dumps(opt)
gs.History().to_csv("history.csv")
if "state_dir" in OPTIONS:
    opt.flush()
brought = set(sys.modules) - before
print({name for name in brought if name.startswith("gradstep.")})
"""


@pytest.mark.parametrize("options", [{}, {"state_dtype": "8bit"}, {"state_dir": "state"}])
def test_what_saves_is_there_as_soon_as_there_is_an_optimizer(tmp_path: Path, options: object) -> None:
    """It may be asked for where nothing can be imported: by a signal's handler, or in a forked child."""
    assert printed(f"FOLDER, OPTIONS = {str(tmp_path)!r}, {options}\n{SAVED}") == "set()"


PACKAGES = ("gradstep", "gradstep.checkpoints", "gradstep.directories")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_is_there_when_it_is_asked_for(package: str) -> None:
    asked = f"import {package} as m; print([n for n in m.__all__ if getattr(m, n, None) is None])"
    assert printed(asked) == "[]"
    asked = f"import {package} as m; from {package} import *; print(set(m.__all__) - set(globals()))"
    assert printed(asked) == "set()"


def test_names_are_listed_before_they_are_asked_for() -> None:
    assert printed("import gradstep as gs; print({*gs.__all__, 'plots'} <= set(dir(gs)))") == "True"


@pytest.mark.parametrize("package", PACKAGES)
def test_others_are_not_there(package: str) -> None:
    asked = f"import {package} as m\ntry: m.nothing\nexcept AttributeError as error: print(error)"
    assert printed(asked) == f"module '{package}' has no attribute 'nothing'"
