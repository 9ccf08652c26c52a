"""Finding a learning rate: a short run under a rate that rises, and what its losses say."""

from gradstep.finding.curve import LRCurve
from gradstep.finding.search import find_lr

__all__ = ["LRCurve", "find_lr"]
