"""Reading the numbers that a training loop measures, as the compiled core does."""

from gradstep._core import real as measured

__all__ = ["measured"]
