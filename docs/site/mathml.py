"""Formulas as MathML, which browsers set themselves: no script, no fonts to fetch, no network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes
from latex2mathml.converter import convert

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata
    from sphinx.writers.html5 import HTML5Translator

#: Formulas in docstrings are written with their own letters; what reads LaTeX wants the names.
NAMES = {
    "←": r"\leftarrow ",
    "−": "-",
    "·": r"\cdot ",
    "…": r"\cdots ",
    "≤": r"\le ",
    "≥": r"\ge ",
    "±": r"\pm ",
    "∞": r"\infty ",
    "‖": r"\| ",
    "½": r"\frac{1}{2}",
    "Σ": r"\sum ",
    "Π": r"\Pi ",
    "′": "'",
    "α": r"\alpha ",
    "β": r"\beta ",
    "γ": r"\gamma ",
    "δ": r"\delta ",
    "ε": r"\varepsilon ",
    "η": r"\eta ",
    "κ": r"\kappa ",
    "λ": r"\lambda ",
    "μ": r"\mu ",
    "ν": r"\nu ",
    "ρ": r"\rho ",
    "σ": r"\sigma ",
    "ψ": r"\psi ",
    "Δ": r"\Delta ",
}
LOWERED, RAISED = "₀₁₂₃₄₅₆₇₈₉", "⁰¹²³⁴⁵⁶⁷⁸⁹"


def latex(formula: str) -> str:
    r"""Write a formula's own letters as the names that LaTeX has for them.

    Raises:
        ValueError: a letter has none.

    Example:
        >>> latex("β₁m + g²")
        '\\beta _{1}m + g^{2}'
    """
    for digits, sign in ((LOWERED, "_"), (RAISED, "^")):

        def plain(found: re.Match[str], digits: str = digits, sign: str = sign) -> str:
            return f"{sign}{{{''.join(str(digits.index(digit)) for digit in found[0])}}}"

        formula = re.sub(f"[{digits}]+", plain, formula)
    for letter, name in NAMES.items():
        formula = formula.replace(letter, name)
    if strange := sorted({letter for letter in formula if ord(letter) > 126}):
        raise ValueError(f"no name is known for {', '.join(strange)} in the formula {formula!r}")
    return formula


def mathml(formula: str, display: str) -> str:
    """Write a formula as MathML."""
    # Inside of \text, an escaped underscore is left as it is.
    return str(convert(formula, display=display)).replace(r"\_", "_")


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula of a line of text."""
    self.body.append(mathml(latex(node.astext()), "inline"))
    raise nodes.SkipNode


def visit_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula of its own lines, aligned at each ``&``."""
    formula = latex(node.astext())
    if r"\\" in formula:
        formula = r"\begin{split}" + formula + r"\end{split}"
    self.body.append(self.starttag(node, "div", CLASS="formula", tabindex="0"))
    self.body.append(mathml(formula, "block"))
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    """Take the place of what loads a script from elsewhere."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
