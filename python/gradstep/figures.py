"""What every picture of gradstep shares: colours that all can tell apart, line styles, and files.

matplotlib is imported inside the functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

# Okabe and Ito's colours, which the colour-blind can tell apart, without the yellow, too pale for lines.
BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, BLACK = "#56B4E9", "#CC79A7", "#000000"
COLOURS = (BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE, BLACK)
STYLES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (3, 1, 1, 1)))
"""Of lines, for print without colour."""
NO_MATPLOTLIB = "plots need matplotlib: pip install matplotlib"


def formats() -> set[str]:
    """Name the file formats that can be drawn, such as "png".

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(NO_MATPLOTLIB) from None
    return set(Figure().canvas.get_supported_filetypes())


def format_of(path: Path) -> str:
    """Give the format that a file's name asks for.

    Example:
        >>> from pathlib import Path
        >>> format_of(Path("curves.SVG"))
        'svg'
    """
    return path.suffix.removeprefix(".").lower()


def save(figure: Figure, path: Path, *, dpi: int) -> None:
    """Draw a figure into a file, which is replaced whole or stays as it was.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as file:
        figure.savefig(file, dpi=dpi, format=format_of(path))
