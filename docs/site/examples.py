"""Every example of every page is run as the page is read; what it prints is shown below it.

A ``python`` block is run whole. A ``pycon`` block, and an example in a docstring, is held against the output
that it shows. The blocks of a page share their names, as do those of a docstring.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import tempfile
import traceback
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging

import gradstep as gs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

LOG = logging.getLogger(__name__)
#: Whose examples are run by `make parity` and `make recipes`, in environments that have them.
ELSEWHERE = ("autograd", "flwr", "jax", "keras", "mpi4py", "optax", "sklearn", "thinc", "torch")
Block: TypeAlias = nodes.literal_block | nodes.doctest_block


def run_all(app: Sphinx, doctree: nodes.document) -> None:
    """Run the examples of a page, in a directory of its own that is thrown away."""
    scopes: dict[int, dict[str, Any]] = {}
    left_out: dict[int, str] = {}
    here = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="gradstep-docs-", ignore_cleanup_errors=True) as room:
        os.chdir(room)
        try:
            for block, is_session in list(examples(doctree)):
                # What follows on an example that was not run is not run either.
                owner = id(scope_of(block))
                if lacking := needs(block.astext()) or left_out.get(owner, ""):
                    left_out[owner] = lacking
                    LOG.info("not run here, for want of %s: %s:%s", lacking, app.env.docname, block.line)
                    continue
                scope = scopes.setdefault(owner, {"__name__": "example"})
                with quiet():
                    (hold if is_session else show)(block, scope)
        finally:
            os.chdir(here)


def examples(doctree: nodes.document) -> Iterator[tuple[Block, bool]]:
    """Find the blocks to run, and whether they are sessions."""
    for node in doctree.findall(lambda node: isinstance(node, Block)):
        language = "pycon" if isinstance(node, nodes.doctest_block) else node.get("language", "")
        # What is taken from a file, a program of the gallery say, has a source of its own and runs elsewhere.
        if language in ("python", "pycon") and not str(node.get("source", "")).endswith(".py"):
            yield node, language == "pycon" or node.astext().startswith(">>> ")


def scope_of(block: nodes.Node) -> nodes.Node:
    """Find what a block shares its names with: its docstring, or else the page."""
    node = block
    while node.parent is not None:
        if isinstance(node, addnodes.desc):
            return node
        node = node.parent
    return node


def needs(code: str) -> str:
    """Name what an example imports that is not here."""
    code = code.replace("from gradstep import mpi", "import mpi4py")
    imported = re.findall(rf"^\W*(?:import|from) ({'|'.join(ELSEWHERE)})\b", code, flags=re.MULTILINE)
    return ", ".join(name for name in dict.fromkeys(imported) if find_spec(name) is None)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Take warnings as errors, but for that of arrays nobody wants to see, and leave no setting behind."""
    threads = gs.get_num_threads()
    with warnings.catch_warnings(), np.printoptions(), np.errstate():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", gs.DetachedParameterWarning)
        try:
            yield
        finally:
            gs.set_num_threads(threads)


def show(block: Block, scope: dict[str, Any]) -> None:
    """Run a program, and put below it what it prints."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            # Lines above it make those of a traceback the page's.
            exec(compile("\n" * (block.line or 0) + block.astext(), str(block.source), "exec"), scope)
    except Exception:
        LOG.warning("this example fails:\n%s", traceback.format_exc(limit=-1), location=block)
    if text := printed.getvalue().rstrip():
        output = nodes.literal_block(text, text, language="text", classes=["output"])
        block.parent.insert(block.parent.index(block) + 1, output)


def hold(block: Block, scope: dict[str, Any]) -> None:
    """Run a session, and hold what it prints against what it shows."""
    test = doctest.DocTestParser().get_doctest(
        block.astext(), scope, "example", str(block.source), block.line
    )
    report = io.StringIO()
    doctest.DocTestRunner(verbose=False).run(test, out=report.write, clear_globs=False)
    scope.update(test.globs)
    if text := report.getvalue():
        LOG.warning("this example is not as shown:\n%s", text, location=block)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Run examples as soon as a page is read."""
    app.connect("doctree-read", run_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
