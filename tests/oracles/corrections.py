"""What Adam and its kin correct: means that start at a value which is none of the gradient's."""

from __future__ import annotations

import math


def share(beta: float, t: int, bias_correction: bool = True) -> float:
    """1 − βᵗ, t counting this update; 1 without correction."""
    return 1.0 - beta ** float(t + 1) if bias_correction else 1.0


def scaled(eps: float, eps_root: float, eps_hat: bool, share: float) -> tuple[float, float]:
    """ε and ρ of √(v/share + ρ) + ε times √share, of which v is no longer divided; ε̂ and ρ as they are."""
    return (eps, eps_root) if eps_hat else (eps * math.sqrt(share), eps_root * share)
