"""The NumPy oracle: every update rule once more, slowly and plainly, in the papers' notation.

A rule is a function of one parameter ``p``, its gradient ``g``, its state (a dict of slots, empty before
the first update), ``t`` (the number of updates done before this one) and its hyperparameters as floats. It
returns the new ``p`` and the new state. A slot that is not there yet counts as 0.

A rule that remembers numbers beside the state has a line in `SETTLED` too: what each element adds to two
sums over all parameters, and how the numbers follow from them. The rule is given them as ``memory``.

All arithmetic is done in the dtype of ``p``. A constant that follows from hyperparameters (1−β, a bias
correction) is computed in Python floats and rounded once, by ``c``. A product of three is taken from left
to right. So a compiled rule must give the same bits.

What is not a rule's business (clipping, the two kinds of weight decay) is written once, in `step`.

Adding a rule means adding one function here and its line in `RULES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
State: TypeAlias = dict[str, Array]
Memory: TypeAlias = dict[str, float]
Rule: TypeAlias = Callable[..., tuple[Array, State]]

#: The optimizers whose weight decay shrinks the parameter instead of entering the gradient.
DECOUPLED = {"AdamW"}


def sgd(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    momentum: float,
    dampening: float,
    nesterov: bool,
    momentum_form: str,
) -> tuple[Array, State]:
    """Polyak 1964; Nesterov's form as of Sutskever et al. 2013."""
    c = p.dtype.type
    η, μ = c(lr), c(momentum)
    if momentum == 0 and "momentum_buffer" not in state:
        return p - η * g, {}
    # Of torch's form, the buffer starts as the whole gradient.
    first = t == 0 or momentum == 0
    ahead = {"torch": 1.0, "keras": lr, "average": 1.0 - momentum}[momentum_form]
    taken = 1.0 - dampening if momentum_form == "torch" and not first else ahead
    kept = c(0) if t == 0 or μ == 0 else μ * state.get("momentum_buffer", c(0))
    b = kept + c(taken) * g
    direction = c(ahead) * g + μ * b if nesterov else b
    return p - (direction if momentum_form == "keras" else η * direction), {"momentum_buffer": b}


def adagrad(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    lr_decay: float,
    initial_accumulator_value: float,
    eps: float,
    eps_root: float,
) -> tuple[Array, State]:
    """Duchi, Hazan, Singer 2011."""
    c = p.dtype.type
    η, ε = c(lr / (1.0 + t * lr_decay)), c(eps)
    s = state.get("sum", c(initial_accumulator_value)) + g * g
    return p - η * g / (np.sqrt(s + c(eps_root)) + ε), {"sum": s}


def rmsprop(
    p: Array,
    g: Array,
    state: State,
    t: int,  # noqa: ARG001 (the rule does not look at the time)
    *,
    lr: float,
    alpha: float,
    eps: float,
    momentum: float,
    centered: bool,
    momentum_form: str,
    eps_root: float,
    initial_accumulator_value: float,
) -> tuple[Array, State]:
    """Tieleman, Hinton 2012; centered as of Graves 2013."""
    c = p.dtype.type
    η, α, one_minus_α, ε, μ = c(lr), c(alpha), c(1.0 - alpha), c(eps), c(momentum)
    v = α * state.get("square_avg", c(initial_accumulator_value)) + one_minus_α * (g * g)
    new = {"square_avg": v}
    variance = v
    if centered:
        a = α * state.get("grad_avg", c(0)) + one_minus_α * g
        new["grad_avg"] = a
        variance = np.maximum(v - a * a, c(0))
    denominator = np.sqrt(variance + c(eps_root)) + ε
    if momentum == 0 and "momentum_buffer" not in state:
        return p - η * g / denominator, new
    inside = momentum_form == "keras"
    b = μ * state.get("momentum_buffer", c(0)) + (η * g if inside else g) / denominator
    new["momentum_buffer"] = b
    return p - (b if inside else η * b), new


def adam(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    amsgrad: bool | str,
    eps_hat: bool,
    eps_root: float,
    bias_correction: bool,
    initial_accumulator_value: float,
    first_count: float,
) -> tuple[Array, State]:
    """Kingma, Ba 2015; AMSGrad of Reddi, Kale, Kumar 2018.

    Numerator and denominator of the papers' update are both multiplied by √(1−β₂ᵗ).
    """
    c = p.dtype.type
    count = float(t) + first_count
    correction1 = 1.0 - beta1**count if bias_correction else 1.0
    square2 = 1.0 - beta2**count if bias_correction else 1.0
    # The largest v may be kept corrected.
    unbias, square2 = (1.0 / square2, 1.0) if amsgrad == "corrected" else (1.0, square2)
    correction2 = math.sqrt(square2)
    η = c(lr * correction2 / correction1)
    ε = c(eps if eps_hat else eps * correction2)
    ρ = c(eps_root if eps_hat else eps_root * square2)
    start = c(initial_accumulator_value)
    m = c(beta1) * state.get("exp_avg", start) + c(1.0 - beta1) * g
    v = c(beta2) * state.get("exp_avg_sq", start) + c(1.0 - beta2) * g * g
    new = {"exp_avg": m, "exp_avg_sq": v}
    v_hat = v
    if amsgrad:
        v_hat = new["max_exp_avg_sq"] = np.maximum(state.get("max_exp_avg_sq", c(0)), c(unbias) * v)
    return p - η * m / (np.sqrt(v_hat + ρ) + ε), new


def lamb(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
) -> tuple[Array, State]:
    """You et al. 2020."""
    c = p.dtype.type
    correction1 = 1.0 - beta1 ** float(t + 1)
    correction2 = math.sqrt(1.0 - beta2 ** float(t + 1))
    m = c(beta1) * state.get("exp_avg", c(0)) + c(1.0 - beta1) * g
    v = c(beta2) * state.get("exp_avg_sq", c(0)) + c(1.0 - beta2) * g * g
    direction = c(correction2 / correction1) * m / (np.sqrt(v) + c(eps * correction2))
    u = direction + c(weight_decay) * p
    norm_p, norm_u = global_norm([p]), global_norm([u])
    trust = 1.0 if norm_p == 0 or norm_u == 0 else norm_p / norm_u
    return p - c(lr * trust) * u, {"exp_avg": m, "exp_avg_sq": v}


def dog(
    p: Array,
    g: Array,
    state: State,
    t: int,  # noqa: ARG001 (as above)
    *,
    memory: Memory,
    lr: float,  # noqa: ARG001 (the remembered rate has it)
    reps_rel: float,  # noqa: ARG001
    eps: float,  # noqa: ARG001
) -> tuple[Array, State]:
    """Ivgi, Hinder, Carmon 2023."""
    return p - p.dtype.type(memory["rate"]) * g, {"init_params": state.get("init_params", p)}


def dog_sums(p: Array, g: Array, state: State, memory: Memory) -> tuple[Array, Array]:
    """g², and the square of the way from the start; at the first step, of the start itself."""
    start = state["init_params"] if memory else p.dtype.type(0)
    return np.square(np.float64(g)), np.square(np.float64(p - start))


def dog_settle(
    memory: Memory, grads: float, moved: float, *, lr: float, reps_rel: float, eps: float
) -> Memory:
    """Update the largest distance and the sum of all gradients' squares."""
    first = reps_rel * (1.0 + math.sqrt(moved))
    max_dist = float(np.maximum(memory["max_dist"], math.sqrt(moved))) if memory else first
    sum_sq_grads = memory.get("sum_sq_grads", 0.0) + grads
    rate = lr * max_dist / np.sqrt(np.float64(sum_sq_grads + eps))
    return {"max_dist": max_dist, "sum_sq_grads": sum_sq_grads, "rate": float(rate)}


#: The function of each optimizer class. Loshchilov, Hutter 2019 (AdamW) is Adam with the other decay.
RULES: dict[str, Rule] = {
    "SGD": sgd,
    "Adagrad": adagrad,
    "RMSprop": rmsprop,
    "Adam": adam,
    "AdamW": adam,
    "LAMB": lamb,
    "DoG": dog,
}

#: Of rules that remember numbers: the terms of two sums, and what follows from them.
SETTLED: dict[str, tuple[Callable[..., tuple[Array, Array]], Callable[..., Memory]]] = {
    "DoG": (dog_sums, dog_settle)
}

#: Elements whose squares are summed in one go, and the number of interleaved sums among them.
CHUNK, LANES = 32 * 1024, 32


def in_memory_order(array: Array) -> Array:
    """Its elements as they lie: in the order of the axes by stride."""
    return array.transpose(np.argsort([-stride for stride in array.strides], kind="stable")).reshape(-1)


def total(arrays: Sequence[Array]) -> float:
    """Σx over arrays that lie in memory in this order: float64 sums of chunks, added up in order."""
    total = 0.0
    for array in arrays:
        flat = in_memory_order(array)
        for start in range(0, flat.size, CHUNK):
            chunk = flat[start : start + CHUNK].astype(np.float64)
            rows = np.concatenate([chunk, np.zeros(-chunk.size % LANES)]).reshape(-1, LANES)
            lanes = np.add.accumulate(rows)[-1]
            while lanes.size > 1:
                lanes = lanes[: lanes.size // 2] + lanes[lanes.size // 2 :]
            total += float(lanes[0])
    return total


def global_norm(arrays: Sequence[Array]) -> float:
    """√Σx² over arrays."""
    return math.sqrt(total([np.square(array, dtype=np.float64) for array in arrays]))


def step(
    optimizer: str,
    params: Mapping[str, Array],
    grads: Mapping[str, Array],
    states: Mapping[str, State],
    memory: Memory,
    t: int,
    *,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    **hypers: Any,
) -> tuple[dict[str, Array], dict[str, State], Memory]:
    """One update of all parameters by the rule of that optimizer class. Changes none of its arguments.

    g ← g·min(1, clip_norm/(‖g‖ + 10⁻⁶));  g ← clamp(g, ±clip_value)
    coupled decay: g ← g + λp;  decoupled: p ← (1 − ηλ)p;  or it is the rule's own business
    """
    rule = RULES[optimizer]
    weight_decay = 0.0 if "weight_decay" in signature(rule).parameters else hypers.pop("weight_decay")
    # A gradient counts in the dtype and memory order of its parameter.
    mine = {}
    for name, p in params.items():
        mine[name] = np.empty_like(p)
        mine[name][...] = grads[name]
    scale = 1.0
    if clip_norm is not None:
        scale = min(1.0, clip_norm / (global_norm(list(mine.values())) + 1e-6))
    shrunk = {}
    for name, p in params.items():
        g, c = mine[name], p.dtype.type
        if clip_norm is not None:
            g = g * c(scale)
        if clip_value is not None:
            # Where both are zero, np.clip does not promise which sign of zero it takes.
            limit = c(clip_value)
            g = np.where((g < limit) | np.isnan(g), g, limit)
            g = np.where((g > -limit) | np.isnan(g), g, -limit)
        if optimizer in DECOUPLED:
            p = p * c(1.0 - hypers["lr"] * weight_decay)
        elif c(weight_decay) != 0:
            g = g + c(weight_decay) * p
        mine[name], shrunk[name] = g, p
    if optimizer in SETTLED:
        sums, settle = SETTLED[optimizer]
        terms = [sums(shrunk[name], mine[name], states[name], memory) for name in params]
        memory = settle(memory, *(total(arrays) for arrays in zip(*terms, strict=True)), **hypers)
    remembered: dict[str, Any] = {"memory": memory} if optimizer in SETTLED else {}
    new_params, new_states = {}, {}
    for name in params:
        p, state = rule(shrunk[name], mine[name], states[name], t, **remembered, **hypers)
        new_params[name] = np.asarray(p)
        new_states[name] = {slot: np.asarray(array) for slot, array in state.items()}
    return new_params, new_states, memory
