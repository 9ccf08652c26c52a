"""Ctrl-C at any time ends the command line with a line and status 130."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from gradstep import starting

SCRIPT = Path(sysconfig.get_path("scripts"), "gradstep")
INTERRUPTED = (130, b"", b"gradstep: interrupted\n")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")


def start(*command: str | Path, code: str = "") -> subprocess.Popen[bytes]:
    """Start a program that hears SIGINT, which a shell's background jobs, and so their children, ignore."""
    hear = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        "os.execv(sys.argv[1], sys.argv[1:])\n"
    )
    words = [sys.executable, "-c", hear, *map(str, command or [sys.executable, "-c", code])]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def interrupted_when(child: subprocess.Popen[bytes], line: bytes) -> tuple[int, bytes, bytes]:
    """Send SIGINT when the child has said so, and see how it ends."""
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == line
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    return child.returncode, out, err


@pytest.mark.parametrize("module", ["numpy", "gradstep._core", "gradstep.cli.plot"])
@pytest.mark.parametrize("program", ["-m", "script"])
def test_while_it_imports(module: str, program: str, tmp_path: Path) -> None:
    # Python runs this before anything else; it says when the import has come to a module, and waits there.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, time\n"
        "class Watch:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}:\n"
        "            print('there', flush=True)\n"
        "            time.sleep(60)\n"
        "sys.meta_path.insert(0, Watch())\n"
    )
    if program == "script" and not SCRIPT.exists():
        pytest.skip("gradstep is not installed with its script")
    command = [sys.executable, SCRIPT] if program == "script" else [sys.executable, "-m", "gradstep"]
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(tmp_path) + (os.pathsep + before if before else "")
    try:
        child = start(*command, "info")
    finally:
        os.environ.pop("PYTHONPATH")
        if before:
            os.environ["PYTHONPATH"] = before
    assert interrupted_when(child, b"there\n") == INTERRUPTED


def test_while_it_works(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    code = (
        "import sys\n"
        "from gradstep.cli import main\n"
        "from gradstep.cli.demo import digits\n"
        "load = digits.split\n"
        "digits.split = lambda: (print('training', flush=True), load())[1]\n"
        f"sys.exit(main(['demo', '--epochs', '10000', '--json', {str(path)!r}]))\n"
    )
    assert interrupted_when(start(code=code), b"training\n") == INTERRUPTED
    assert list(tmp_path.iterdir()) == []


def test_when_it_is_done() -> None:
    # What Python does at its end, here slowly, is no command's work any more.
    code = (
        "import atexit, os, sys, time\n"
        "sys.argv = ['gradstep', 'info']\n"
        "atexit.register(lambda: (os.write(1, b'done\\n'), time.sleep(60)))\n"
        "from gradstep.cli import main\n"
        "sys.stdout = open(os.devnull, 'w')\n"
        "main()\n"
    )
    assert interrupted_when(start(code=code), b"done\n") == INTERRUPTED


def test_a_background_job_goes_on_ignoring_it() -> None:
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "sys.argv = ['gradstep', 'info']\n"
        "from gradstep.cli import main\n"
        "main()\n"
        "assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN\n"
    )
    with start(code=code) as child:
        time.sleep(0.2)
        _, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, b"")


@pytest.mark.parametrize(
    ("argv", "orig_argv", "expected"),
    [
        (["/usr/bin/gradstep", "info"], ["python", "/usr/bin/gradstep", "info"], True),
        ([r"gradstep.exe"], ["python"], True),
        (["-m", "info"], ["python", "-W", "error", "-m", "gradstep", "info"], True),
        (["-m"], ["python", "-Im", "gradstep"], True),
        (["-m", "gradstep"], ["python", "-m", "trainer", "gradstep"], False),
        (["train.py"], ["python", "train.py"], False),
        (["train.py", "-m", "gradstep"], ["python", "train.py", "-m", "gradstep"], False),
        (["/usr/bin/gradstep-like"], ["python"], False),
        ([""], ["python"], False),
        ([], [], False),
    ],
)
def test_other_programs_are_left_alone(
    argv: list[str], orig_argv: list[str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(sys, "orig_argv", orig_argv)
    assert starting.is_command() is expected


def test_the_import_changes_no_handler() -> None:
    code = (
        "import signal, sys\n"
        "before = signal.getsignal(signal.SIGINT), sys.excepthook\n"
        "import gradstep.cli\n"
        "assert (signal.getsignal(signal.SIGINT), sys.excepthook) == before\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
