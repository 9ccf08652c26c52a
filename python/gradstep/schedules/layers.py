"""Rates by layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gradstep.schedules.base import Schedule


def layerwise(
    groups: Iterable[str] | Mapping[str, Mapping[str, Any]], decay: float, lr: Schedule | float
) -> dict[str, dict[str, Any]]:
    """Give each layer the rate of the next one times a factor: lr·decay^(L−1−i) for layer i of L.

    The result is what ``groups=`` of an optimizer takes. What no pattern matches has the optimizer's rate.

    Args:
        groups: Patterns of names, a layer each, from the first layer to the last one; or a dict of the other
            options of each group by its pattern. A rate of its own there takes the place of ``lr``.
        decay: The factor, above 0; below 1 if the first layers are to learn the slowest.
        lr: The rate of the last layer, a number or a schedule.

    Raises:
        TypeError: If ``decay`` is not a number, or a rate neither a number nor a schedule.
        ValueError: If ``decay`` is not above 0, or infinite.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> params = {name: np.zeros(2) for name in ("embed", "block.0", "block.1", "head")}
        >>> lr = gs.schedules.Cosine(0.8, steps=100)
        >>> layers = gs.schedules.layerwise(["embed", "block.0", "block.1", "head"], decay=0.5, lr=lr)
        >>> gs.Adam(params, lr=0.3, groups=layers).lr  # the last one is that of all others
        (0.1, 0.2, 0.4, 0.8, 0.3)
        >>> gs.schedules.layerwise({"*.b": {"weight_decay": 0.0}}, decay=0.5, lr=0.1)
        {'*.b': {'weight_decay': 0.0, 'lr': 0.1}}

    References:
        Clark et al. 2020 (ELECTRA), arXiv:2003.10555; Howard and Ruder 2018 (ULMFiT, "discriminative
        fine-tuning"), arXiv:1801.06146, which divides by 2.6 from layer to layer.
    """
    if not 0 < decay < float("inf"):
        raise ValueError(f"decay must be finite and above 0, got {decay}")
    layers = dict(groups) if isinstance(groups, Mapping) else {pattern: {} for pattern in groups}
    last = len(layers) - 1
    rated: dict[str, dict[str, Any]] = {}
    for i, (pattern, options) in enumerate(layers.items()):
        rate = options.get("lr", lr)
        rated[pattern] = {**options, "lr": rate if i == last else rate * decay ** (last - i)}
    return rated
