"""Trainings whose bits may not depend on who makes them: ranks, or a loop with a plain optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import gradstep as gs
from bits import Array, digest
from settings import OPTIONS, known
from trees import leaves

#: Every optimizer class, found by itself.
OPTIMIZERS: dict[str, Any] = {
    name: value for name in gs.optimizers.__all__ if (value := getattr(gs, name)) is not gs.Optimizer
}

PARTS = 8
STEPS = 3
CHUNK = 32 * 1024

Arrays = dict[str, Array]


@dataclass
class Case:
    """An optimizer's name, its options, and what its parameters are like."""

    rule: str
    options: dict[str, Any] = field(default_factory=dict)
    kind: str = "float32"
    losses: bool = False
    #: What is done to the gradients of a part at a step.
    spoil: Callable[[dict[str, Any], int, int], None] = lambda *_: None
    #: What is done to an optimizer before a step.
    before: Callable[[Any, int], None] = lambda *_: None
    parts: int = PARTS
    steps: int = STEPS
    groups: bool = False

    def params(self) -> Any:
        """Fresh parameters, the same at each call."""
        made = parameters(self.kind)
        if not self.groups:
            return made
        names = list(made)
        return [
            {"params": {name: made[name] for name in names[::2]}, "lr": 0.02, "weight_decay": 0.0},
            {"params": {name: made[name] for name in names[1::2]}},
        ]

    def grads(self, t: int, part: int) -> Any:
        """The gradients of a part."""
        made: dict[str, Any] = gradients(self.kind, t, part)
        self.spoil(made, t, part)
        if not self.groups:
            return made
        names = list(made)
        return [{name: made[name] for name in names[::2]}, {name: made[name] for name in names[1::2]}]

    def loss(self, t: int, part: int) -> float | None:
        """Its loss."""
        return float(np.float32(1.7) ** (t % 2) + 0.1 * part) if self.losses else None


def parameters(kind: str) -> Arrays:
    """Arrays of awkward sizes: cut by chunks, smaller than one, empty."""
    shapes = {"a": (110, 331), "b": (3,), "c": (0, 5), "d": (CHUNK,), "e": (2, 3, 5), "f": (CHUNK + 7,)}
    random, made = np.random.default_rng(1), {}
    for i, (name, shape) in enumerate(shapes.items()):
        dtype = {"mixed": ["f4", "f8"][i // 2 % 2], "complex": ["c8", "f4", "c16"][i % 3]}.get(kind, kind)
        array = random.normal(size=shape).astype(dtype)
        if array.dtype.kind == "c":
            array += array.dtype.type(1j) * random.normal(size=shape).astype(array.real.dtype)
        if kind == "mixed":
            array = np.asfortranarray(array) if i % 2 == 0 else np.moveaxis(array.copy(), 0, -1)
        made[name] = array
    return made


SEEDS: dict[tuple[str, int], Arrays] = {}


def gradients(kind: str, t: int, part: int) -> Arrays:
    """Other ones for each step and part, which are cheap to make."""
    if (kind, part) not in SEEDS:
        random = np.random.default_rng(100 + part)
        made = {}
        for name, array in parameters(kind).items():
            noise = random.normal(size=array.shape)
            made[name] = (array * 0.1 + 10 ** random.uniform(-4, 0, array.shape) * noise).astype(array.dtype)
        SEEDS[kind, part] = made
    return {name: array * array.real.dtype.type(1.0 - 0.3 * t) for name, array in SEEDS[kind, part].items()}


def tree(values: list[Any], plus: Callable[[Any, Any], Any]) -> Any:
    """The sum of neighbours, of those sums, and so on: from the left, in blocks of powers of two."""
    while len(values) > 1:
        pairs = [values[i : i + 2] for i in range(0, len(values), 2)]
        values = [plus(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return values[0]


def plus(a: Any, b: Any) -> Any:
    """The sum of two structures of gradients; what is None in one of them counts as zero."""
    if isinstance(a, dict):
        return {key: plus(a[key], b[key]) for key in a}
    if isinstance(a, list):
        return [plus(*pair) for pair in zip(a, b, strict=True)]
    if a is None or b is None:
        left = a if a is not None else b
        return None if left is None else left + left.dtype.type(0)
    with np.errstate(all="ignore"):
        return a + b


def plain(case: Case) -> dict[str, Any]:
    """The training of a plain optimizer, on the sums over all parts."""
    params = case.params()
    opt = OPTIMIZERS[case.rule](params, **case.options)
    loss = None
    for t in range(case.steps):
        case.before(opt, t)
        total = tree([case.grads(t, part) for part in range(case.parts)], plus)
        if case.losses:
            losses = [case.loss(t, part) for part in range(case.parts)]
            loss = tree(losses, float.__add__) / case.parts
        opt.step(total, loss=loss, scale=1 / case.parts)
    return outcome(opt, params, state_of(opt), loss)


def state_of(opt: Any) -> dict[str, Array]:
    """The arrays of the state with one axis, those of a slot in fewer bits one by one."""
    found: dict[str, Array] = {}
    for name, slots in opt.state.items():
        for slot, array in slots.items():
            parts = array.parts if isinstance(array, gs.Packed) else {"": array}
            found |= {f"{name}.{slot}.{part}": one.ravel(order="K") for part, one in parts.items()}
    return found


def gathered(opt: Any, comm: Any, whole: bool) -> dict[str, Array]:
    """The same of an optimizer of many ranks, each of which has it whole or has its stretches of it."""
    everything = comm.allgather(state_of(opt))[: 1 if whole else None]
    return {key: np.concatenate([one[key] for one in everything]) for key in everything[0]}


def outcome(opt: Any, params: Any, state: Mapping[str, Array], loss: float | None) -> dict[str, Any]:
    """All that is to be the same, as texts."""
    groups = [group["params"] for group in params] if isinstance(params, list) else params
    numbers = ("grad_norm", "update_norm", "param_norm", "step_count", "skipped", "counts", "frozen")
    return {
        "params": digest(leaves(groups)),
        "state": digest(state.values()),
        "loss": repr(loss),
        "rest": repr([getattr(opt, name) for name in (*numbers, "scalars", "feedback_state", "micro_step")]),
    }


def cases() -> Iterator[tuple[str, Case]]:
    """All trainings by name."""
    wd = {"weight_decay": 0.05}
    for rule in OPTIMIZERS:
        yield f"{rule} float32 clip", Case(rule, {"lr": 0.01, **wd, "clip_norm": 0.5}, steps=2)
        yield f"{rule} float64", Case(rule, {"lr": 0.01}, "float64", steps=2)
        options: dict[str, Any] = {
            "clip_norm_each": 0.2,
            "ema": 0.5,
            "measure": True,
            "groups": {"[ab]": {"lr": 0.02, **wd}, "f": {"clip_norm_each": None}},
        }
        if rule not in ("Rprop", "Prodigy", "DoG"):
            options["lr"] = gs.schedules.Linear(0.01, 0.02, 3)
        yield f"{rule} mixed groups", Case(rule, options, "mixed", steps=2)
    for name, options in OPTIONS.items():
        for rule in ("Adam", "LAMB"):
            more = {"lr": 0.01} | known(rule, options)
            yield f"{rule} {name}", Case(rule, more, losses=True, steps=4)
    for rule in ("Adam", "LAMB", "Prodigy"):
        yield f"{rule} complex", Case(rule, {"lr": 0.01, "clip_norm": 0.1, "measure": True}, "complex")
        yield f"{rule} listed groups", Case(rule, {"lr": 0.01, "clip_norm": 0.1}, "mixed", groups=True)
        for parts in (1, 3, 5, 13):
            yield f"{rule} {parts} parts", Case(rule, {"lr": 0.01, "clip_norm": 0.1}, parts=parts)

        def none(grads: dict[str, Any], t: int, part: int) -> None:
            if t == 1:
                grads["a"] = grads["b"] = None
            if part in (0, 3, 4, 5):
                grads["f"] = None

        def none_at_all(grads: dict[str, Any], t: int, _: int) -> None:
            if t == 1:
                for name in grads:
                    grads[name] = None

        def nan(grads: dict[str, Any], t: int, part: int) -> None:
            if t == 1 and part == 6:
                grads["f"][-1] = np.nan

        def freeze(opt: Any, t: int) -> None:
            if t == 1:
                opt.freeze("[ad]")
            if t == 2:
                opt.unfreeze("a")

        many = {"lr": 0.01, "clip_norm": 0.1, "measure": True, "clip_norm_each": 0.1}
        yield f"{rule} None", Case(rule, many, spoil=none)
        yield f"{rule} None accumulated", Case(rule, many | {"accumulate": 2}, spoil=none, steps=4)
        yield f"{rule} nothing", Case(rule, many, spoil=none_at_all)
        yield f"{rule} NaN skipped", Case(rule, many | {"nonfinite": "skip"}, spoil=nan)
        yield f"{rule} frozen", Case(rule, many, before=freeze)
    for rule in sorted(OPTIMIZERS.keys() - {"ScheduleFreeSGD", "DoG"}):  # all of whose state is exact
        slots = {"momentum": 0.9} if rule == "SGD" else {}
        for form in ("bfloat16", "8bit"):
            options = {"lr": 0.01, "state_dtype": form, "seed": 3} | slots
            yield f"{rule} {form}", Case(rule, options, steps=2)
    narrow = {"lr": 0.01, "state_dtype": "8bit", "clip_norm": 0.5, "accumulate": 2, "ema": 0.5, **wd}
    yield "Adam 8bit, much else", Case("Adam", narrow, steps=4, spoil=none)
    for form in ("bfloat16", "8bit"):
        by_name = {"[abcd]": {"state_dtype": form, "lr": 0.02}}
        yield f"Adam {form} by name", Case("Adam", {"lr": 0.01, "groups": by_name}, steps=2)
    base = gs.schedules.Constant(0.01).warmup(2)
    feedback: dict[str, dict[str, Any]] = {
        "loss": {"lr": gs.feedback.LossScaled(base, 0.5)},
        "norm": {"lr": gs.feedback.GradNormScaled(base, 0.5)},
        "plateau": {"lr": gs.feedback.Plateau(base, patience=0)},
        "guard": {"clip_norm": gs.feedback.NormGuard(window=2, quantile=0.5, factor=1.0, action="skip")},
    }
    for name, options in feedback.items():
        yield f"feedback {name}", Case("AdamW", options, losses=True, steps=5)
    yield "Python schedule", Case("Adam", {"lr": gs.schedules.Lambda(lambda t: 0.01 / (t + 1))})


#: A training that is saved half way; in it are blocks in Fortran order, cut between ranks.
SAVED = Case(
    "Adam",
    {
        "clip_norm": 0.5,
        "lr": gs.schedules.Linear(0.01, 0.02, 6),
        "ema": 0.5,
        "accumulate": 2,
        "groups": {"a": {"state_dtype": "8bit"}, "[ef]": {"state_dtype": "bfloat16"}, "b": {}},
    },
    "mixed",
)

#: Options that go on with it in other formats.
CONVERTED: dict[str, Any] = {
    "groups": {"a": {"state_dtype": "bfloat16"}, "[ef]": {"state_dtype": "8bit"}, "b": {}},
}


def trained(opt: Any, steps: range) -> None:
    """Make steps of it on no ranks."""
    for t in steps:
        opt.step(tree([SAVED.grads(t, part) for part in range(PARTS)], plus), scale=1 / PARTS)
