"""Hold the sources to the plan of the house: no circles of imports, `unsafe` in its rooms, a true guide.

In Rust a module that declares another one (``mod x;``) imports it, so that a list of modules cannot hold what
they need; and each path that begins with ``crate``, ``super`` or ``self`` imports the file that it leads to.
Code for tests is not read. In Python every import of the package counts, also inside a function or under
TYPE_CHECKING. A stub without a module stands for the compiled one, which imports nothing of the package.
The guide to the house, CONTRIBUTING.md, has to name files that are there.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from environments import CHECKOUT, Failure

CRATES = ("rust/core/src", "rust/python/src")
PACKAGE = "python/gradstep"
GUIDE = "CONTRIBUTING.md"
UNSAFE_ROOMS = ("rust/core/src/memory", "rust/core/src/machine/", "rust/python/src/arrays/")

Module = tuple[str, ...]
"""The parts of its full name."""
Imports = dict[str, dict[str, int]]
"""The files that each file imports, and in which line."""

TOKEN = re.compile(
    r"""(?P<skipped> //[^\n]* | /\*.*?\*/ | \s+
        | b?r(?P<hashes>\#*)".*?"(?P=hashes) | b?"(?:\\.|[^"\\])*" | b?'(?:\\.[^']*|[^'\\])' | '\w+ )
    | \w+ | :: | .""",
    flags=re.DOTALL | re.VERBOSE,
)


class Token(NamedTuple):
    """A word or a sign of Rust."""

    text: str
    line: int


def main() -> None:
    """Print what was counted, or fail at what is against the plan."""
    root = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else CHECKOUT
    counts = {path: count for path in rust_files(root / "rust") if (count := count_unsafe(path))}
    print(f"unsafe: {sum(counts.values())}")
    for path, count in counts.items():
        print(f"{count:4} {name(path, root)}")
    graphs = {crate: rust_imports(root / crate, root) for crate in CRATES}
    graphs[PACKAGE] = python_imports(root / PACKAGE, root)
    faults = [circle for graph in graphs.values() for circle in circles(graph)]
    faults += [
        f"{name(path, root)}: `unsafe` belongs into {', '.join(UNSAFE_ROOMS)}"
        for path in counts
        if not name(path, root).startswith(UNSAFE_ROOMS)
    ]
    faults += [f"{GUIDE}: there is no {path}" for path in guided(root) if not (root / path).exists()]
    if faults:
        raise Failure("\n".join(["not as the house is planned", *faults]))
    files = ", ".join(f"{len(graph)} files of {top}" for top, graph in graphs.items())
    print(f"imports without circles: {files}")


def name(path: Path, root: Path) -> str:
    """Name a file as seen from the top of the checkout."""
    return path.relative_to(root).as_posix()


def guided(root: Path) -> list[str]:
    """List the paths that the guide names; in its plan, below the last one that is not indented."""
    text = (root / GUIDE).read_text(encoding="utf-8")
    paths: list[str] = re.findall(r"`([\w.]+/[\w./]+)`", text)
    room = ""
    for indent, path in re.findall(r"^( *)(\S+)  ", text.split("```")[1], flags=re.MULTILINE):
        room = room if indent else path
        paths.append(room + path if indent else path)
    return paths


def file_of(path: Module, files: Mapping[Module, Path]) -> Path | None:
    """Find the file that a path leads to, whose rest is an item of that file."""
    return next((files[path[:end]] for end in range(len(path), -1, -1) if path[:end] in files), None)


def circles(imports: Imports) -> Iterator[str]:
    """Describe a circle of imports, if there is one."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        # Each one is imported by the next.
        links = pairwise(reversed(error.args[1]))
        yield "a circle of imports:\n" + "\n".join(f"  {a}:{imports[a][b]} imports {b}" for a, b in links)


def rust_files(folder: Path) -> list[Path]:
    """List the Rust files below a folder."""
    return sorted(path for path in folder.rglob("*.rs") if "target" not in path.parts)


def count_unsafe(path: Path) -> int:
    """Count the uses of the keyword, those in tests among them."""
    return sum(token.text == "unsafe" for token in tokens(path))


def tokens(path: Path) -> list[Token]:
    """Split a Rust file, without comments, texts and lifetimes."""
    code, line, found = path.read_text(encoding="utf-8"), 1, []
    for match in TOKEN.finditer(code):
        if match["skipped"] is None:
            found.append(Token(match[0], line))
        line += match[0].count("\n")
    return found


def rust_imports(source: Path, root: Path) -> Imports:
    """Find what each file of a crate imports of it."""
    files = {module_of(path.relative_to(source)): path for path in rust_files(source)}
    imports: Imports = {}
    for module, path in files.items():
        own = imports[name(path, root)] = {}
        for used, line in paths_in(without_tests(tokens(path)), module):
            if (target := file_of(used, files)) not in (path, None):
                own.setdefault(name(target, root), line)
    return imports


def module_of(path: Path) -> Module:
    """Name the module that a file of a crate is."""
    parts = path.with_suffix("").parts
    return parts[:-1] if parts[-1] in ("mod", "lib", "main") else parts


def without_tests(code: list[Token]) -> list[Token]:
    """Leave out the items that are compiled for tests only."""
    kept: list[Token] = []
    i = 0
    while i < len(code):
        if texts(code, i, 3) == ["#", "[", "cfg"]:
            end = closing(code, i + 1)
            words = texts(code, i, end - i)
            if "test" in words and "not" not in words:
                i = end
                while code[i].text not in "{;":
                    i += 1
                i = closing(code, i) if code[i].text == "{" else i + 1
                continue
        kept.append(code[i])
        i += 1
    return kept


def texts(code: list[Token], at: int, count: int) -> list[str]:
    """Give the texts of so many tokens."""
    return [token.text for token in code[at : at + count]]


def closing(code: list[Token], at: int) -> int:
    """Find the place behind the bracket that closes the one at a place."""
    depth = 0
    while True:
        depth += (code[at].text in "([{") - (code[at].text in ")]}")
        at += 1
        if depth == 0:
            return at


def paths_in(code: list[Token], module: Module) -> Iterator[tuple[Module, int]]:
    """Give the paths inside the crate that a module names, from the crate's root, with their lines."""
    depth, inside = 0, [(0, module)]
    for i, token in enumerate(code):
        if token.text == "{":
            depth += 1
        elif token.text == "}":
            depth -= 1
            if depth < inside[-1][0]:
                inside.pop()
        elif token.text == "mod" and texts(code, i + 2, 1) == [";"]:
            yield (*inside[-1][1], code[i + 1].text), token.line
        elif token.text == "mod" and texts(code, i + 2, 1) == ["{"]:
            inside.append((depth + 1, (*inside[-1][1], code[i + 1].text)))
        elif token.text in ("crate", "super", "self") and texts(code, i + 1, 1) == ["::"]:
            for path in branches(code, i)[0]:
                yield resolved(path, inside[-1][1]), token.line


def branches(code: list[Token], at: int) -> tuple[list[Module], int]:
    """Read a path that may branch, as ``a::{b, c::d}``; give its branches and the place behind them."""
    first = (code[at].text,)
    if texts(code, at + 1, 1) != ["::"] or not re.match(r"\w|{", code[at + 2].text):
        return [first], at + 1
    if code[at + 2].text != "{":
        rest, at = branches(code, at + 2)
        return [first + path for path in rest], at
    found, at = [], at + 3
    while code[at].text != "}":
        rest, at = branches(code, at)
        found += [first + path for path in rest]
        while code[at].text not in ",}":  # the rest of `x as y`
            at += 1
        at += code[at].text == ","
    return found, at + 1


def resolved(path: Module, module: Module) -> Module:
    """Follow a path from a module."""
    base = () if path[0] == "crate" else module
    for i, part in enumerate(path):
        if part not in ("crate", "self", "super"):
            return base + path[i:]
        base = base[:-1] if part == "super" else base
    return base


def python_imports(package: Path, root: Path) -> Imports:
    """Find what each file of a package imports of it."""
    files: dict[Module, Path] = {}
    for suffix in ("pyi", "py"):  # a module takes the place of its stub
        for path in sorted(package.rglob(f"*.{suffix}")):
            parts = path.relative_to(package.parent).with_suffix("").parts
            files[parts[:-1] if parts[-1] == "__init__" else parts] = path
    imports: Imports = {}
    for module, path in files.items():
        own = imports[name(path, root)] = {}
        if path.suffix == ".pyi":
            continue
        folder = module if path.stem == "__init__" else module[:-1]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for used in imported(node, ".".join(folder)):
                if (target := file_of(used, files)) not in (path, None):
                    own.setdefault(name(target, root), node.lineno)  # type: ignore[attr-defined]
    return imports


def imported(node: ast.AST, package: str) -> list[Module]:
    """Name what a piece of Python imports: modules, or items of modules."""
    if isinstance(node, ast.Import):
        return [tuple(alias.name.split(".")) for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = resolve_name("." * node.level + (node.module or ""), package)
    return [(*base.split("."), alias.name) for alias in node.names]


if __name__ == "__main__":
    main()
