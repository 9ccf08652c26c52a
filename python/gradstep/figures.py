"""What every figure of gradstep shares: colours that all can tell apart, and the formats matplotlib writes.

matplotlib is imported inside the functions, and without pyplot: no display, no backend and no global state.
"""

# Okabe and Ito's colours, which the colour-blind can tell apart, without the yellow that is too pale for
# lines; and line styles, for print without colour.
COLOURS = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#D55E00", "#CC79A7")
STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)))


def formats() -> set[str]:
    """Name the file formats that can be drawn, such as "png".

    Raises:
        ImportError: if matplotlib is not installed.
    """
    from matplotlib.figure import Figure

    return set(Figure().canvas.get_supported_filetypes())
