"""Check what `build_wheel.py` made: tags, contents, metadata, size, and what an import of it costs."""

import argparse
import re
import statistics
import sys
import tempfile
import zipfile
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from environments import CHECKOUT, CleanEnvironment, Failure, run, the_wheel
from packaging.utils import parse_wheel_filename
from trove_classifiers import classifiers

MAX_SIZE = 2_000_000
MAX_IMPORT_MS = 15.0
IMPORTS = 21

EXTENSION = re.compile(r"gradstep/_core(\.abi3|\.cpython-[\w-]+|\.cp\w+-\w+)?\.(so|pyd)")
BELONGS = (
    EXTENSION,
    re.compile(r"gradstep/(\w+/)*\w+\.pyi?"),
    re.compile(r"gradstep/py\.typed"),
    re.compile(r"gradstep/demo/(digits\.npz|DIGITS\.txt)"),
    re.compile(r"gradstep-[\d.]+\.dist-info/(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE)"),
)
NEEDED = ("gradstep/py.typed", "gradstep/demo/digits.npz")

# Runs in a clean environment. Prints the milliseconds of both imports, how many threads the second has
# started, and which packages it has looked for besides the standard library and NumPy, found or not.
PROBE = """
import os, sys, time
class Watch:
    wanted = set()
    def find_spec(self, name, *_):
        self.wanted.add(name.partition(".")[0])
def threads():
    return len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0
start = time.perf_counter(); import numpy; numpy_done = time.perf_counter()
before = threads(); sys.meta_path.insert(0, Watch())
again = time.perf_counter(); import gradstep; done = time.perf_counter()
optional = Watch.wanted - set(sys.stdlib_module_names) - {"numpy", "gradstep"}
print(1e3 * (numpy_done - start), 1e3 * (done - again), threads() - before, *sorted(optional))
"""


def main() -> None:
    """Run every check, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", help="what the wheel was built for, if not for this machine")
    foreign = parser.parse_args().target is not None
    wheel = the_wheel()
    tags = wheel.stem.removeprefix("gradstep-").split("-", 1)[1]
    check_with_tools(wheel, foreign)
    with zipfile.ZipFile(wheel) as archive:
        check_contents(archive)
        check_metadata(archive)
        files = [f"{entry.file_size:>9}  {entry.filename}" for entry in archive.infolist()]
    size = wheel.stat().st_size
    if size > MAX_SIZE:
        raise Failure(f"the wheel has {size} bytes, more than {MAX_SIZE}")
    cost = "not measured: this is not the machine for it" if foreign else import_cost(wheel)
    print(*files, sep="\n")
    print(f"wheel   {wheel.name}\ntag     {tags}")
    print(f"size    {size / 1000:.0f} kB (at most {MAX_SIZE / 1000:.0f})\nimport  {cost}")


def check_with_tools(wheel: Path, foreign: bool) -> None:
    """Let the packaging tools say that the tags are true and that an index would take the files."""
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, *wheel.parent.glob("*.tar.gz"))
    tags = parse_wheel_filename(wheel.name)[3]
    if any(tag.abi == "abi3" for tag in tags):
        run(sys.executable, "-m", "abi3audit", "--strict", "--summary", wheel)
    # auditwheel compares with this machine's C library; for another one, maturin has looked at the symbols.
    if sys.platform == "linux" and not foreign:
        report = " ".join(run(sys.executable, "-m", "auditwheel", "show", wheel, quiet=True).split())
        found = re.search(r'following platform tag: "(\w+)"', report)
        if found is None or found[1] not in {tag.platform for tag in tags}:
            raise Failure(f"auditwheel does not confirm the platform of {wheel.name}: {report}")
        print(f"auditwheel: {wheel.name} is {found[1]}")


def check_contents(archive: zipfile.ZipFile) -> None:
    """Refuse a wheel that lacks a file, has one that does not belong there, or tells where it was built."""
    names = archive.namelist()
    if strangers := [name for name in names if not any(kind.fullmatch(name) for kind in BELONGS)]:
        raise Failure(f"the wheel has files that do not belong there: {', '.join(strangers)}")
    if missing := set(NEEDED).difference(names):
        raise Failure(f"the wheel lacks {', '.join(sorted(missing))}")
    if len([name for name in names if EXTENSION.fullmatch(name)]) != 1:
        raise Failure("the wheel has to hold one extension module")
    sources = CHECKOUT / "python"
    modules = {
        path.relative_to(sources).as_posix() for kind in ("py", "pyi") for path in sources.rglob(f"*.{kind}")
    }
    if missing := modules.difference(names):
        raise Failure(f"the wheel lacks {', '.join(sorted(missing))}")
    private = {
        str(path).encode() for path in (CHECKOUT, Path.home(), Path(sys.prefix)) if len(path.parts) > 1
    }
    for name in names:
        content = archive.read(name)
        if told := [path.decode() for path in private if path in content]:
            raise Failure(f"{name} tells where it was built: {', '.join(told)}")


def check_metadata(archive: zipfile.ZipFile) -> None:
    """Refuse metadata that an index or an installer would not understand."""
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    metadata: Message = HeaderParser().parsestr(archive.read(name).decode())
    wanted = {"License-Expression": "MIT", "Requires-Python": ">=3.11", "Name": "gradstep"}
    for field, value in wanted.items():
        if metadata[field] != value:
            raise Failure(f"{field} is {metadata[field]!r}, not {value!r}")
    if unknown := set(metadata.get_all("Classifier", [])).difference(classifiers):
        raise Failure(f"there are no such classifiers: {', '.join(sorted(unknown))}")
    if missing := {"bench", "demo", "test"}.difference(metadata.get_all("Provides-Extra", [])):
        raise Failure(f"these extras are missing: {', '.join(sorted(missing))}")
    needs = [need for need in metadata.get_all("Requires-Dist", []) if "extra ==" not in need]
    if needs != ["numpy>=1.26"]:
        raise Failure(f"a bare install needs {needs}, not NumPy alone")


def import_cost(wheel: Path) -> str:
    """Measure the import in an environment with nothing but the wheel and what it requires."""
    with tempfile.TemporaryDirectory() as folder:
        environment = CleanEnvironment(Path(folder).resolve() / "venv")
        environment.install(wheel)
        runs = [environment.run("-I", "-c", PROBE, quiet=True).split() for _ in range(IMPORTS)]
    numpy_ms, ours_ms = (statistics.median(float(run[i]) for run in runs) for i in (0, 1))
    threads, packages = max(int(run[2]) for run in runs), sorted({name for run in runs for name in run[3:]})
    if threads > 0:
        raise Failure(f"import gradstep starts {threads} threads")
    if packages:
        raise Failure(f"import gradstep looks for {', '.join(packages)}")
    limits = f"median of {IMPORTS}, at most {MAX_IMPORT_MS:.0f}"
    cost = f"{ours_ms:.1f} ms beyond NumPy's {numpy_ms:.0f} ms ({limits})"
    if ours_ms > MAX_IMPORT_MS:
        raise Failure(f"import gradstep costs {cost}")
    return cost


if __name__ == "__main__":
    main()
