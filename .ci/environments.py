"""Clean virtual environments for the wheel, and commands run in them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


class Failure(SystemExit):
    """What is wrong, in words: printed without a traceback, exit status 1."""

    def __init__(self, what: str) -> None:
        super().__init__(f"error: {what}")


def run(
    *command: str | Path, cwd: Path = CHECKOUT, env: Mapping[str, str] | None = None, quiet: bool = False
) -> str:
    """Run a command that has to succeed.

    Args:
        command: the program and its arguments.
        cwd: the directory to run in.
        env: the environment; this process's own by default.
        quiet: take in what the command prints, and show it only if it fails.

    Returns:
        What the command printed, if quiet.
    """
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        cwd=cwd,
        env=env,
        text=True,
        encoding="utf-8",
        check=False,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
    )
    if done.returncode:
        raise Failure(f"{done.stdout or ''}\n{' '.join(words)} ended with status {done.returncode}")
    return done.stdout or ""


def the_wheel() -> Path:
    """Return the one wheel in dist/."""
    wheels = sorted((CHECKOUT / "dist").glob("*.whl"))
    if len(wheels) != 1:
        found = ", ".join(wheel.name for wheel in wheels) or "none"
        raise Failure(f"dist/ has to hold one wheel, but holds {found}; `make wheel` makes it")
    return wheels[0]


def without_rust() -> dict[str, str]:
    """Return this process's environment, without a Rust toolchain and without the activated Python."""
    path = [
        folder
        for folder in os.environ.get("PATH", "").split(os.pathsep)
        if not any(shutil.which(tool, path=folder) for tool in ("cargo", "rustc"))
    ]
    dropped = ("CARGO_", "RUST", "MATURIN_", "PYTHON", "VIRTUAL_ENV", "CONDA_", "GRADSTEP_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    env["PATH"] = os.pathsep.join(path)
    if found := shutil.which("cargo", path=env["PATH"]):
        raise Failure(f"cargo is still on PATH: {found}")
    return env


class CleanEnvironment:
    """A new virtual environment that knows no Rust and nothing of this checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = without_rust()
        run(sys.executable, "-m", "venv", "--clear", folder, env=self.env)
        scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = scripts / ("python.exe" if os.name == "nt" else "python")
        self.install("--upgrade", "pip")

    def install(self, *requirements: str | Path) -> None:
        """Install with pip, from wheels only."""
        pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:")
        run(self.python, *pip, *requirements, cwd=self.folder, env=self.env)

    def run(self, *arguments: str | Path, cwd: Path | None = None, quiet: bool = False) -> str:
        """Run Python here with these arguments, by default in the environment's own folder."""
        return run(self.python, *arguments, cwd=cwd or self.folder, env=self.env, quiet=quiet)
