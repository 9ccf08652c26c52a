"""A page for every family of schedules: what each is, with its curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gradstep import feedback, schedules

if TYPE_CHECKING:
    from collections.abc import Iterator


class Family(NamedTuple):
    """A page of schedules."""

    title: str
    words: str
    drawn: dict[str, str]
    """Of each class an expression to draw; of one that reacts, nothing."""


FAMILIES = {
    "decays": Family(
        "Decays",
        "They fall, or rise, once and for ever.",
        {
            "Linear": "Linear(0.1, 0.01, 1000)",
            "Polynomial": "Polynomial(0.1, 0.0, 1000, power=2.0)",
            "Exponential": "Exponential(0.1, 0.5, every=250)",
            "StepDecay": "StepDecay(0.1, 0.5, every=250)",
            "InverseTime": "InverseTime(0.1, 0.01)",
            "InverseSqrt": "InverseSqrt(0.1, timescale=100)",
        },
    ),
    "waves": Family(
        "Waves",
        "They fall along a cosine, or rise again.",
        {
            "Cosine": "Cosine(0.1, 1000)",
            "CosineRestarts": "CosineRestarts(0.1, 200, period_mult=2)",
            "Cyclic": 'Cyclic(0.01, 0.1, up=100, mode="triangular2")',
        },
    ),
    "phases": Family(
        "Plans of a whole training",
        "They have a length: rise, plateau and fall belong together.",
        {
            "OneCycle": "OneCycle(0.1, 1000)",
            "WarmupStableDecay": "WarmupStableDecay(0.1, warmup=100, stable=700, decay=200)",
        },
    ),
    "lists": Family(
        "Values you list",
        "They take their values, or where these change, from lists or from a function of yours.",
        {
            "Constant": "Constant(0.1)",
            "MultiStep": "MultiStep(0.1, [300, 600, 800], 0.5)",
            "Piecewise": "Piecewise([300, 700], [0.1, 0.02, 0.05])",
            "Interpolated": "Interpolated([0, 200, 1000], [0.02, 0.1, 0.0])",
            "Table": "Table([0.1, 0.08, 0.05, 0.04, 0.01])",
            "Lambda": "",
        },
    ),
    "compositions": Family(
        "Schedules made of others",
        "Each is what a method or an operator of a schedule gives.",
        {
            "Warmup": "Cosine(0.1, 1000).warmup(100)",
            "Cooldown": "Constant(0.1).cooldown(1000, fraction=0.3)",
            "Join": "Constant(0.1).then(Exponential(0.05, 0.5, every=200), at=400)",
            "Product": "Cosine(0.1, 1000) * Exponential(1.0, 0.5, every=300)",
            "Sum": "Linear(0.1, 0.0, 1000) + Cyclic(0.0, 0.02, up=50)",
            "Power": "Linear(0.4, 0.0, 1000) ** 2",
            "Clip": "Cosine(0.1, 1000).clip(0.02, 0.08)",
            "Every": "Cosine(0.1, 10).every(100)",
            "Stride": "Cosine(0.1, 1000).stride(4)",
            "Shift": "Cosine(0.1, 1000).shift(400)",
            "Repeat": "Linear(0.1, 0.02, 250).repeat(250)",
        },
    ),
    "feedback": Family(
        "Schedules that react",
        "They look at the loss, or at the gradients. `gradstep.feedback` has them.",
        {"Plateau": "", "LossScaled": "", "GradNormScaled": "", "NormGuard": ""},
    ),
}
#: What some can do besides.
METHODS = {"OneCycle": "momentum", "Cyclic": "momentum", "Exponential": "with_rate"}
#: What is no curve, and described elsewhere: the base classes and the functions.
OTHERS = {"Schedule", "Feedback", "layerwise", "like"}


def section(module: str, name: str, expression: str) -> str:
    """Write what there is of one class."""
    picture = f".. curve:: {expression}" if expression else ""
    if module == "gradstep.feedback":
        picture = f".. reaction:: {name}"
    methods = f"\n   :members: {METHODS[name]}" if name in METHODS else ""
    return f"{name}\n{'-' * len(name)}\n\n{picture}\n\n.. autoclass:: {module}.{name}{methods}\n"


def pages() -> Iterator[tuple[str, str]]:
    """Write the pages; a schedule without a place is an error."""
    drawn = {name for family in FAMILIES.values() for name in family.drawn} | OTHERS
    if stray := drawn ^ {*schedules.__all__, *feedback.__all__}:
        raise SystemExit(f"schedules of no family, or families of no schedule: {', '.join(sorted(stray))}")
    for key, family in FAMILIES.items():
        module = "gradstep.feedback" if key == "feedback" else "gradstep.schedules"
        head = (
            f"{family.title}\n{'=' * len(family.title)}\n\n.. py:currentmodule:: {module}\n\n{family.words}\n"
        )
        yield (
            f"schedules/{key}.rst",
            "\n".join([head, *(section(module, *item) for item in family.drawn.items())]),
        )
    lines = [
        f"- [{family.title}]({key}.rst): {', '.join(f'`{name}`' for name in family.drawn)}"
        for key, family in FAMILIES.items()
    ]
    yield "schedules/index.md", INDEX.format(families="\n".join(lines), names="\n".join(FAMILIES))


INDEX = """\
# Schedules

A schedule is a function of the number of updates done. `s(t)` takes an integer, or an array of them; nothing
has to be stepped, and a run that goes on at any t has the right rate. Every hyperparameter takes one, not the
rate alone.

```python
import gradstep as gs

lr = gs.schedules.Cosine(0.1, steps=1000).warmup(100)
print([round(lr(t), 4) for t in (0, 50, 100, 600, 1100)])
```

{families}

[Choosing a schedule](../choosing-a-schedule.md) helps to pick one,
[Schedulers of other libraries](../schedulers.md) maps those that you may know, and the
[reference](../reference/schedules.rst) has what all of them can do.

```{{toctree}}
:hidden:

{names}
```
"""
