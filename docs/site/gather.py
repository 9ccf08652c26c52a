"""Put together what Sphinx reads: the pages of docs/, and those that follow from the package itself."""

from __future__ import annotations

import math
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import api
import programs
import rules
import schedules

from gradstep.cli import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DOCS = Path(__file__).parent.parent
CHECKOUT = DOCS.parent
#: Pages that have their place at the top of the checkout.
AT_THE_TOP = {"contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
#: Numbers of the core that pages tell.
CONSTANTS = (
    ("rust/core/src/plans.rs", "CHUNK", ("inside.md", "images/inside.svg")),
    ("rust/core/src/plans.rs", "PARALLEL_FROM", ("inside.md", "threads.md")),
    ("rust/core/src/loops/mod.rs", "BLOCK", ("inside.md", "images/inside.svg")),
)
#: Pages of parts that come one by one.
OPTIONAL = ("large-models", "sparse-rows", "mpi", "torch")
GALLERIES = ("examples", "recipes", "torch")


def pages() -> Iterator[tuple[str, str]]:
    """Give each page by its name, with its text."""
    for path in sorted(DOCS.rglob("*.md")):
        name = path.relative_to(DOCS)
        if name.parts[0] != "site":
            text = present(path.read_text(encoding="utf-8")).replace("{{commands}}", commands())
            if name.parts[0] in GALLERIES:
                text += toctree(
                    f"{titled(file.stem)} <{file.stem}>" for file in sorted(path.parent.glob("*.py"))
                )
            yield name.as_posix().replace("README.md", "index.md"), linked(text)
    for page, file in AT_THE_TOP.items():
        yield page, linked((CHECKOUT / file).read_text(encoding="utf-8"))
    for gallery in GALLERIES:
        for path in sorted((DOCS / gallery).glob("*.py")):
            yield f"{gallery}/{path.stem}.md", programs.page(path)
    yield from rules.pages()
    yield from schedules.pages()
    yield from api.pages()


def check_constants() -> None:
    """Hold the numbers in words against those of the core."""
    for file, name, told in CONSTANTS:
        source = (CHECKOUT / file).read_text(encoding="utf-8")
        factors = re.search(rf"const {name}: usize = ([\d *]+);", source)
        if factors is None:
            raise SystemExit(f"{file} has no {name}, which docs/{told[0]} tells")
        number = f"{math.prod(int(factor) for factor in factors[1].split('*')):,}"
        for page in told:
            if f"{number} elements" not in (DOCS / page).read_text(encoding="utf-8"):
                raise SystemExit(f"docs/{page} does not say {number} elements, which is {name} in {file}")


def toctree(names: Iterable[str]) -> str:
    """List pages below this one."""
    return "\n```{toctree}\n:hidden:\n\n" + "\n".join(names) + "\n```\n"


def titled(stem: str) -> str:
    """Name a program in a list by its file.

    Example:
        >>> titled("rate_sweep")
        'Rate sweep'
    """
    return stem.replace("_", " ").capitalize()


def present(text: str) -> str:
    """Leave out what leads to a part that this checkout has not: links, and names with a question mark."""
    there = {name for name in OPTIONAL if (DOCS / f"{name}.md").exists()}
    text = re.sub(
        r"^([\w-]+)\?\n", lambda name: f"{name[1]}\n" * (name[1] in there), text, flags=re.MULTILINE
    )
    for name in set(OPTIONAL) - there:
        text = re.sub(rf"\[([^]]+)\]\({name}\.md\)", r"\1", text)
    return text


def commands() -> str:
    """Show the help of every command."""
    return "\n\n".join(
        f"### gradstep {command.name}\n\n```{{command}} gradstep {command.name} --help\n```"
        for command in COMMANDS
    )


def linked(text: str) -> str:
    """Turn links to files of the checkout into those to pages of the site."""
    for gallery in GALLERIES:  # a program has a page of its own
        text = re.sub(rf"\]\(({gallery}/)?(\w+)\.py\)", r"](\1\2.md)", text)
    # Sources have no page: what is said of them stays.
    text = re.sub(
        r"\[([^]]+)\]\(\.\./((rust|python|tests|benches)/[^)]+)\)",
        lambda link: link[1] if (CHECKOUT / link[2]).exists() else link[0],
        text,
    )
    for page, file in AT_THE_TOP.items():
        text = text.replace(f"](../{file})", f"]({page})")
    text = re.sub(r"\]\((\.\./)?docs/", r"](", text)
    return re.sub(r"\]\(([\w./-]*)README\.md", r"](\1index.md", text)


def main(target: Path) -> None:
    """Write what has changed, and remove what is gone, so that Sphinx reads no more than it has to."""
    check_constants()
    wanted = {}
    for name, text in pages():
        if name in wanted:
            raise SystemExit(f"two pages would be {name}")
        wanted[name] = text
    files = {path.relative_to(DOCS).as_posix(): path for path in (DOCS / "images").iterdir()}
    files |= {path.name: path for path in DOCS.glob("*.png")}
    for old in [path for path in target.rglob("*") if path.is_file()]:
        if old.relative_to(target).as_posix() not in wanted.keys() | files.keys():
            old.unlink()
    for name, text in wanted.items():
        path = target / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name, path in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
