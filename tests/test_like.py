"""Schedulers of other libraries: beside what was recorded of them, and what is refused."""

from __future__ import annotations

import ast
import inspect
import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from gradstep.feedback import Plateau
from gradstep.schedules import Constant, Cosine, Exponential, Schedule, like
from gradstep.schedules.dialects import LIBRARIES
from refusals import refuses
from schedule_cases import inverse_step

RECORDED = json.loads(
    Path(__file__).with_name("trajectories").joinpath("rates.json").read_text(encoding="utf-8")
)["cases"]
PAGE = (Path(__file__).parent.parent / "docs" / "schedulers.md").read_text(encoding="utf-8")

#: Of those that are not recorded, since their arguments are schedules, functions or metrics.
OTHERS: dict[tuple[str, str], dict[str, Any]] = {
    ("optax", "join"): {"schedules": [Constant(0.1), Cosine(0.1, 10)], "boundaries": [5]},
    ("optax", "reduce_on_plateau"): {"lr": 0.1},
    ("torch", "ChainedScheduler"): {"lr": 0.1, "schedulers": [Constant(0.5), Cosine(1.0, 10)]},
    ("torch", "LambdaLR"): {"lr": 0.1, "lr_lambda": inverse_step},
    ("torch", "MultiplicativeLR"): {"lr": 0.1, "lr_lambda": inverse_step},
    ("torch", "ReduceLROnPlateau"): {"lr": 0.1},
    ("torch", "SequentialLR"): {"schedulers": [Constant(0.1), Cosine(0.1, 10)], "milestones": [5]},
    ("transformers", "reduce_lr_on_plateau"): {"lr": 0.1},
}
ALL = [(case["library"], case["name"], ast.literal_eval(case["arguments"])) for case in RECORDED]
ALL += [(library, name, arguments) for (library, name), arguments in OTHERS.items()]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: f"{case['library']}-{case['name']}")
def test_the_rates_are_those_of_the_library(case: dict[str, Any]) -> None:
    made = like(case["library"], case["name"], **ast.literal_eval(case["arguments"]))
    want = np.array(case["rates"])
    # Where little is left of the rate, the libraries have lost digits of 1 + cos πx.
    scale = np.maximum(np.abs(want), 1e-3 * np.max(np.abs(want)))
    assert np.max(np.abs(made(np.array(case["steps"])) - want) / scale) <= 1e-12


def test_every_scheduler_is_tried() -> None:
    tried = {(library, LIBRARIES[library][short(name)]) for library, name, _ in ALL}
    assert tried == {(library, make) for library, known in LIBRARIES.items() for make in known.values()}


def short(name: str) -> str:
    return name.removesuffix("_schedule")


@pytest.mark.parametrize(("library", "name", "arguments"), ALL, ids=lambda value: str(value)[:40])
def test_it_is_a_plain_composition(library: str, name: str, arguments: dict[str, Any]) -> None:
    made = like(library, name, **arguments)
    assert isinstance(made, Schedule)
    again = pickle.loads(pickle.dumps(made))
    assert (again, hash(again), again(3)) == (made, hash(made), made(3))
    if "function" not in repr(made):
        assert eval(repr(made), vars(gs.schedules) | vars(gs.feedback)) == made


def test_a_function_may_be_named_whole_or_in_short() -> None:
    arguments = {"init_value": 0.1, "decay_steps": 10}
    assert like("optax", "cosine_decay", **arguments) == like("optax", "cosine_decay_schedule", **arguments)
    wsd = {"lr": 0.1, "num_warmup_steps": 1, "num_stable_steps": 2, "num_decay_steps": 3}
    named = [like("transformers", name, **wsd) for name in ("wsd", "warmup_stable_decay", "get_wsd_schedule")]
    assert named[0] == named[1] == named[2]


def test_a_running_product_depends_on_t_alone() -> None:
    made = like("torch", "MultiplicativeLR", lr=2.0, lr_lambda=inverse_step)
    forwards = [made(t) for t in range(20)]
    assert [made(t) for t in reversed(range(20))] == forwards[::-1]
    assert forwards[3] == pytest.approx(2.0 / 2 / 3 / 4)
    np.testing.assert_array_equal(made(np.arange(20)), forwards)


def test_feedback_is_a_plateau() -> None:
    made = like("torch", "ReduceLROnPlateau", lr=0.1, patience=2, min_lr=0.01)
    assert made == Plateau(Constant(0.1), patience=2, min_value=0.01)
    made = like("optax", "reduce_on_plateau", lr=0.1, patience=3, accumulation_size=5, min_scale=0.5)
    assert made == Plateau(Constant(0.1), patience=2, min_value=0.05, mean_of=5)


@pytest.mark.parametrize(
    ("library", "name", "arguments", "kind", "message"),
    [
        (
            "jax",
            "StepLR",
            {},
            ValueError,
            "library must be one of 'keras', 'optax', 'torch', 'transformers', got 'jax'",
        ),
        (3, "StepLR", {}, TypeError, "library must be a str, got int"),
        ("torch", None, {}, TypeError, "name must be a str, got NoneType"),
        (
            "keras",
            "StepLR",
            {},
            ValueError,
            "there is no 'StepLR' like 'keras'; there are "
            "'CosineDecay', 'CosineDecayRestarts', 'ExponentialDecay', 'InverseTimeDe"
            "cay', 'PiecewiseConstantDecay', 'PolynomialDecay'",
        ),
        (
            "torch",
            "StepLR",
            {"lr": 0.1},
            TypeError,
            "StepLR like 'torch' takes lr, step_size, gamma=0.1; missing a required argument: 'step_size'",
        ),
        (
            "torch",
            "ExponentialLR",
            {"lr": 0.1, "gamma": 0.9, "decay": 1},
            TypeError,
            "ExponentialLR like 'torch' takes lr, gamma; got an unexpected keyword argument 'decay'",
        ),
        (
            "torch",
            "StepLR",
            {"lr": "0.1", "step_size": 3},
            TypeError,
            "StepLR like 'torch': start must be a number, got str",
        ),
        (
            "torch",
            "StepLR",
            {"lr": 0.1, "step_size": 0},
            ValueError,
            "StepLR like 'torch': every must be at least 1, got 0",
        ),
        (
            "torch",
            "OneCycleLR",
            {"max_lr": 0.1, "epochs": 3},
            ValueError,
            "OneCycleLR like 'torch': total_steps must be given, or both epochs and steps_per_epoch",
        ),
        (
            "keras",
            "ExponentialDecay",
            {"initial_learning_rate": 0.1, "decay_steps": 2.5, "decay_rate": 0.9},
            TypeError,
            "ExponentialDecay like 'keras': every must be an integer, got float",
        ),
        (
            "optax",
            "reduce_on_plateau",
            {"lr": 0.1, "atol": 0.1},
            ValueError,
            "reduce_on_plateau like 'optax': one of rtol and atol must be 0, got 0.0001 and 0.1",
        ),
        (
            "transformers",
            "cosine_with_min_lr",
            {"lr": 0.1, "num_warmup_steps": 1, "num_training_steps": 9},
            ValueError,
            "cosine_with_min_lr like 'transformers': one of min_lr and min_lr_rate must be given",
        ),
        (
            "transformers",
            "wsd",
            {"lr": 0.1, "num_warmup_steps": 1, "num_decay_steps": 9},
            ValueError,
            "wsd like 'transformers': num_training_steps or num_stable_steps must be given",
        ),
        (
            "transformers",
            "wsd",
            {
                "lr": 0.1,
                "num_warmup_steps": 1,
                "num_decay_steps": 9,
                "num_stable_steps": 9,
                "decay_type": "sqrt",
            },
            ValueError,
            "wsd like 'transformers': warmup_type and decay_type must be one of 'linear', 'cosine', "
            "'1-sqrt', got 'sqrt'",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 20 else "",
)
def test_what_is_refused(library: Any, name: Any, arguments: dict[str, Any], kind: Any, message: str) -> None:
    with refuses(kind, message):
        like(library, name, **arguments)


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_page_has_every_scheduler(library: str) -> None:
    (section,) = re.findall(
        rf"^## {library}\n(.*?)(?=^## )", PAGE, flags=re.MULTILINE | re.DOTALL | re.IGNORECASE
    )
    named = set(re.findall(r"\w+", " ".join(re.findall(r"^\|[^|]*\|", section, flags=re.MULTILINE))))
    for name, make in LIBRARIES[library].items():
        assert {name, make.__name__} & named, f"docs/schedulers.md has no row for {name} of {library}"


def test_the_page_runs() -> None:
    snippets = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(snippets) == 4
    exec(compile(snippets[0], "schedulers.md", "exec"), {})


def test_the_arguments_have_documented_names() -> None:
    """`lr` comes first where there is one, and nothing is positional."""
    for known in LIBRARIES.values():
        for make in known.values():
            parameters = list(inspect.signature(make).parameters)
            assert "lr" not in parameters[1:]
            assert make.__doc__


def test_the_end_holds() -> None:
    made = like("keras", "CosineDecayRestarts", initial_learning_rate=0.1, first_decay_steps=10, alpha=0.5)
    assert made(0) == 0.1
    assert isinstance(like("torch", "ExponentialLR", lr=0.1, gamma=0.5), Exponential)
