"""A function minimized in one call, as SciPy's users know it."""

from gradstep.minimizing.descent import minimize
from gradstep.minimizing.scipy import scipy_method

__all__ = ["minimize", "scipy_method"]
