"""Test the wheel in dist/ as its users have it: installed, without Rust, and far from this checkout.

Once with the oldest NumPy that gradstep supports and once with the newest, in clean environments: README's
first example with nothing but the wheel installed, then all tests, for which matplotlib joins it.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from environments import CHECKOUT, CleanEnvironment, Failure, the_wheel

# The oldest has no wheels for later versions of Python.
NUMPYS = {"numpy==1.26.*": (3, 12), "numpy>=2": (3, 99)}
# What the tests read, and where links lead: pytest's settings are in pyproject.toml.
COPIED = ("tests", "docs", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "pyproject.toml")


def main() -> None:
    """Test with each NumPy, and print the counts."""
    wheel = the_wheel()
    counts = []
    for numpy, last_python in NUMPYS.items():
        if sys.version_info[:2] > last_python:
            counts.append(
                f"{numpy}: not tested, it has no wheel for Python {sys.version_info[0]}.{sys.version_info[1]}"
            )
            continue
        with tempfile.TemporaryDirectory() as folder:
            counts.append(test(wheel, numpy, Path(folder).resolve()))
    print(f"{wheel.name}, without Rust, outside of the checkout:", *counts, sep="\n  ")


def test(wheel: Path, numpy: str, folder: Path) -> str:
    """Run README's example and the tests, and tell how many there were."""
    environment = CleanEnvironment(folder / "venv")
    environment.install(wheel, numpy)
    work = copy(folder / "work")
    where = Path(
        environment.run("-c", "import gradstep; print(gradstep.__file__)", cwd=work, quiet=True).strip()
    )
    if not where.is_relative_to(environment.folder):
        raise Failure(f"gradstep was imported from {where}, not from {environment.folder}")
    example = folder / "example.py"
    example.write_text(first_example(), encoding="utf-8")
    print(environment.run("-W", "error", example, cwd=folder, quiet=True), end="", flush=True)
    environment.install(f"{wheel}[demo,test]", numpy)
    environment.run("-m", "pytest", "--quiet", "--junitxml", folder / "junit.xml", cwd=work)
    suite = ElementTree.parse(folder / "junit.xml").getroot()[0]
    skipped = int(suite.attrib["skipped"])
    passed = int(suite.attrib["tests"]) - skipped
    versions = "import numpy, sys; print(f'NumPy {numpy.__version__}, Python {sys.version.split()[0]}')"
    return f"{environment.run('-c', versions, quiet=True).strip()}: {passed} tests passed, {skipped} skipped"


def copy(work: Path) -> Path:
    """Copy what the tests need, and nothing that could be imported as gradstep, to a folder of their own."""
    for name in COPIED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, work / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        elif source.exists():
            work.mkdir(exist_ok=True)
            shutil.copy(source, work / name)
    return work


def first_example() -> str:
    """Return the first Python example of README, as it stands."""
    found = re.search(
        r"```python\n(.*?)```", (CHECKOUT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    if found is None:
        raise Failure("README has no example")
    return found[1]


if __name__ == "__main__":
    main()
