"""The build fails where markup was not understood, and stands in the text as it was written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

LOG = logging.getLogger(__name__)
#: A directive, a role, or a fence of either kind of markup; a star or an underscore that was to be emphasis.
MARKUP = re.compile(r"\.\. [\w-]+::|:[\w:-]+:$|^`|\{[\w-]+\}$|\]\([\w./#-]+\)|@@|\{\{")


def check(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Warn of each text that still has markup in it."""
    for text in doctree.findall(nodes.Text):
        node = text.parent
        if isinstance(node, nodes.literal | nodes.raw | nodes.FixedTextElement | nodes.math | nodes.comment):
            continue
        if MARKUP.search(text.astext()):
            LOG.warning("markup was not understood: %s", text.astext()[:80], location=(docname, node.line))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Look when all is resolved."""
    app.connect("doctree-resolved", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
