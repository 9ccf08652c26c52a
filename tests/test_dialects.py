"""`like`: libraries by their formulas, written plainly; what it sets, and what it refuses.

The libraries themselves are installed by `make parity`, but for those that are written plainly here.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import Array
from gradstep.optimizers.dialects import DIALECTS

ROOT = Path(__file__).parents[1]
STEPS = 200

#: What is not there yet is 0.
State = defaultdict[str, Array]
#: The new parameter, of the old one, the gradient, the state and the number of this step, from 1.
Formula = Callable[[Array, Array, State, int], Array]


def momentum(
    mu: float, lr: float, share: float = 1.0, inside: bool = False, nesterov: bool = False
) -> Formula:
    """The velocity takes in a share of the gradient, and the rate where that is inside."""

    def step(p: Array, g: Array, s: State, _: int) -> Array:
        g = share * g * (lr if inside else 1.0)
        s["v"] = mu * s["v"] + g
        return p - (1.0 if inside else lr) * (g + mu * s["v"] if nesterov else s["v"])

    return step


def squares(
    keep: float, add: float, lr: float, eps: float, inside: bool = False, sign: float = -1.0
) -> Formula:
    """Adagrad (keep = add = 1) and RMSProp, with ε inside or outside of the root."""

    def step(p: Array, g: Array, s: State, _: int) -> Array:
        s["v"] = keep * s["v"] + add * g**2
        return p + sign * lr * g / (np.sqrt(s["v"] + eps) if inside else np.sqrt(s["v"]) + eps)

    return step


def adam(
    lr: float, beta1: float, beta2: float, eps: float, correct: str, sign: float = -1.0, late: int = 0
) -> Formula:
    """Adam with v corrected before ε is added, after it ("hat") or "not"; its count may be late."""

    def step(p: Array, g: Array, s: State, t: int) -> Array:
        s["m"] = beta1 * s["m"] + (1 - beta1) * g
        s["v"] = beta2 * s["v"] + (1 - beta2) * g**2
        c1, c2 = 1 - beta1 ** (t + late), 1 - beta2 ** (t + late)
        if correct == "not":
            return p + sign * lr * s["m"] / (np.sqrt(s["v"]) + eps)
        if correct == "hat":
            return p + sign * lr * math.sqrt(c2) / c1 * s["m"] / (np.sqrt(s["v"]) + eps)
        return p + sign * lr * (s["m"] / c1) / (np.sqrt(s["v"] / c2) + eps)

    return step


def decayed(formula: Formula, lr: float, decay: float) -> Formula:
    return lambda p, g, s, t: formula((1 - lr * decay) * p, g, s, t)


def penalized(formula: Formula, decay: float) -> Formula:
    return lambda p, g, s, t: formula(p, g + decay * p, s, t)


def clipped(formula: Formula, limit: float) -> Formula:
    """As MLX's clip_grad_norm."""
    return lambda p, g, s, t: formula(p, g * min(limit / (np.linalg.norm(g) + 1e-6), 1.0), s, t)


def adadelta(p: Array, g: Array, s: State, _: int) -> Array:
    rho, eps = 0.9, 1e-6
    s["v"] = rho * s["v"] + (1 - rho) * g**2
    d = np.sqrt(s["u"] + eps) / np.sqrt(s["v"] + eps) * g
    s["u"] = rho * s["u"] + (1 - rho) * d**2
    return p - 0.01 * d


def adamax(p: Array, g: Array, s: State, _: int) -> Array:
    """Without correction, and with ε beside the norm."""
    s["m"] = 0.9 * s["m"] + 0.1 * g
    s["v"] = np.maximum(0.999 * s["v"], np.abs(g))
    return p - 0.01 * s["m"] / (s["v"] + 1e-8)


def lion(p: Array, g: Array, s: State, _: int) -> Array:
    m = s["m"]
    s["m"] = 0.99 * m + 0.01 * g
    return p - 0.01 * np.sign(0.9 * m + 0.1 * g)


def fed_yogi(p: Array, d: Array, s: State, _: int) -> Array:
    s["m"] = 0.9 * s["m"] + 0.1 * d
    v = s["v"]
    s["v"] = v - 0.01 * d**2 * np.sign(v - d**2)
    return p + 0.01 * s["m"] / (np.sqrt(s["v"]) + 1e-3)


LR = {"lr": 0.01}
#: MLX 0.32 (python/mlx/optimizers), Flower 1.42 (flwr.serverapp.strategy: FedAvgM, FedAdagrad, FedAdam,
#: FedYogi, of which all but the first ascend along new − old), PennyLane 0.45 (pennylane.optimize), and
#: es_distributed/optimizers.py of OpenAI's evolution-strategies-starter. MLX and OpenAI have no default rate.
FORMULAS: list[tuple[str, str, dict[str, Any], Formula]] = [
    ("mlx", "SGD", LR, momentum(0.0, 0.01)),
    ("mlx", "SGD", {"momentum": 0.9, **LR}, momentum(0.9, 0.01)),
    ("mlx", "SGD", {"momentum": 0.9, "nesterov": True, **LR}, momentum(0.9, 0.01, nesterov=True)),
    ("mlx", "SGD", {"weight_decay": 0.1, **LR}, penalized(momentum(0.0, 0.01), 0.1)),
    ("mlx", "SGD", {"clip_norm": 0.5, **LR}, clipped(momentum(0.0, 0.01), 0.5)),
    ("mlx", "Adagrad", LR, squares(1.0, 1.0, 0.01, 1e-8)),
    ("mlx", "RMSprop", LR, squares(0.99, 0.01, 0.01, 1e-8)),
    ("mlx", "Adadelta", LR, adadelta),
    ("mlx", "Adam", LR, adam(0.01, 0.9, 0.999, 1e-8, "not")),
    ("mlx", "Adam", {"bias_correction": True, **LR}, adam(0.01, 0.9, 0.999, 1e-8, "corrected")),
    ("mlx", "AdamW", LR, decayed(adam(0.01, 0.9, 0.999, 1e-8, "not"), 0.01, 0.01)),
    ("mlx", "Adamax", LR, adamax),
    ("mlx", "Lion", LR, lion),
    ("mlx", "Lion", {"weight_decay": 0.1, **LR}, decayed(lion, 0.01, 0.1)),
    ("flower", "SGD", {}, momentum(0.0, 1.0)),
    ("flower", "SGD", {"momentum": 0.9}, momentum(0.9, 1.0)),
    ("flower", "Adagrad", {}, squares(1.0, 1.0, 0.1, 1e-3, sign=1.0)),
    ("flower", "Adam", {}, adam(0.1, 0.9, 0.99, 1e-3, "hat", sign=1.0, late=1)),
    ("flower", "Yogi", {}, fed_yogi),
    ("pennylane", "SGD", {}, momentum(0.0, 0.01)),
    ("pennylane", "SGD", {"momentum": 0.9}, momentum(0.9, 0.01, inside=True)),
    ("pennylane", "Adagrad", {}, squares(1.0, 1.0, 0.01, 1e-8, inside=True)),
    ("pennylane", "Adagrad", {"eps": 1e-2}, squares(1.0, 1.0, 0.01, 1e-2, inside=True)),
    ("pennylane", "RMSprop", {}, squares(0.9, 0.1, 0.01, 1e-8, inside=True)),
    ("pennylane", "Adam", {}, adam(0.01, 0.9, 0.99, 1e-8, "hat")),
    ("openai_es", "SGD", LR, momentum(0.9, 0.01, share=0.1)),
    ("openai_es", "Adam", LR, adam(0.01, 0.9, 0.999, 1e-8, "hat")),
]


def test_every_rule_has_a_formula() -> None:
    installed = {"torch", "keras", "optax", "sklearn", "autograd", "thinc"}
    rules = {(library, rule) for library, of_library in DIALECTS.items() for rule in of_library}
    assert {(library, rule) for library, rule, _, _ in FORMULAS} == {
        r for r in rules if r[0] not in installed
    }


@pytest.mark.parametrize(("library", "rule", "options", "formula"), FORMULAS)
def test_formula(library: str, rule: str, options: dict[str, Any], formula: Formula) -> None:
    random = np.random.default_rng(5)
    p = random.normal(size=20)
    want, state = p.copy(), State(lambda: np.zeros(()))
    opt = getattr(gs, rule).like(library, p, **options)
    for t in range(1, STEPS + 1):
        noise = random.normal(size=20)
        # Whoever ascends stays in the bowl too.
        sign = -1.0 if opt.maximize else 1.0
        opt.step(sign * 0.5 * p + noise)
        want = formula(want, sign * 0.5 * want + noise, state, t)
        np.testing.assert_allclose(
            p, want, rtol=1e-12, atol=1e-12 * np.max(np.abs(want)), err_msg=f"step {t}"
        )


RULES = [(library, rule) for library, rules in DIALECTS.items() for rule in rules]


@pytest.mark.parametrize(("library", "rule"), RULES)
def test_what_it_sets_is_seen(library: str, rule: str) -> None:
    opt = getattr(gs, rule).like(library, np.ones(3))
    (values,) = opt.hyperparameters
    for name, value in DIALECTS[library][rule].items():
        assert values[name] == value == getattr(opt, name)
        # `repr` shows what belongs to groups, and the limit that this ε is of belongs to all of them.
        if name != "clip_eps" and value != getattr(getattr(gs, rule)(np.ones(3)), name):
            assert f"{name}={value!r}" in repr(opt)


def test_overrides_win() -> None:
    opt = gs.Adam.like("keras", np.ones(3), lr=0.5, eps_hat=False, clip_norm=1.0)
    assert (opt.lr, opt.eps, opt.eps_hat, opt.clip_norm, opt.decoupled) == (0.5, 1e-7, False, 1.0, True)
    assert gs.SGD.like("thinc", np.ones(3), clip_norm_each=None).clip_norm_each is None


def test_eps_is_where_the_library_has_it() -> None:
    opt = gs.RMSprop.like("keras", np.ones(3), eps=1e-3)
    assert (opt.eps, opt.eps_root) == (0.0, 1e-3)
    assert gs.Adam.like("keras", np.ones(3), eps=1e-3).eps == 1e-3


def test_amsgrad_of_optax_is_of_the_corrected_mean() -> None:
    assert gs.Adam.like("optax", np.ones(3), amsgrad=True).amsgrad == "corrected"
    assert gs.Adam.like("optax", np.ones(3)).amsgrad is False
    assert gs.Adam.like("keras", np.ones(3), amsgrad=True).amsgrad is True


def test_parameters_may_come_later() -> None:
    opt = gs.Adam.like("keras", lr=0.1)
    p = np.ones(3)
    opt.bind(p)
    assert opt.step(np.ones(3))
    assert p[0] < 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: gs.Adam.like("tensorflow", np.ones(3)),
            "library must be one of 'torch', 'keras', 'optax', 'mlx', 'sklearn', 'autograd', 'thinc', "
            "'flower', 'pennylane', 'openai_es', got 'tensorflow'",
        ),
        (
            lambda: gs.Lion.like("torch", np.ones(3)),
            "there is no Lion like 'torch'; those that have it are 'keras', 'optax', 'mlx'",
        ),
        (
            lambda: gs.Prodigy.like("torch", np.ones(3)),
            "there is no Prodigy like 'torch'; none of those known has it",
        ),
        (
            lambda: gs.Adagrad.like("keras", np.ones(3), eps=1e-3, eps_root=1e-4),
            "eps and eps_root are one number of 'keras', but both are given",
        ),
    ],
)
def test_what_it_refuses(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


def test_an_option_that_the_rule_has_not() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'beta3'"):
        gs.Adam.like("keras", np.ones(3), beta3=0.5)


TEXT = (ROOT / "docs" / "variants.md").read_text(encoding="utf-8")


def test_the_page_has_what_it_sets() -> None:
    """Each library has a section, with a row for each rule: its options as they are written in Python."""
    sections = re.findall(r"^### `(\w+)`.*?\n(.*?)(?=^##)", TEXT, flags=re.MULTILINE | re.DOTALL)
    page = {
        library: {
            rule: eval(f"dict({options.strip('`')})")
            for rules, options in re.findall(
                r"^\| (`\w+`(?:, `\w+`)*) \| (`[^|]*`|) *\|", section, flags=re.M
            )
            for rule in re.findall(r"\w+", rules)
        }
        for library, section in sections
    }
    assert page == DIALECTS


@pytest.mark.parametrize("snippet", re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL))
def test_the_snippets_of_the_page(snippet: str) -> None:
    exec(compile(snippet, "variants.md", "exec"), {})


def test_the_pages_have_the_versions_that_are_compared() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    versions = [
        entry for entry in groups["parity"] if isinstance(entry, str) and not entry.startswith("jax==")
    ]
    texts = TEXT + (ROOT / "docs" / "schedulers.md").read_text(encoding="utf-8")
    missing = [entry for entry in versions if " ".join(entry.split("==")) not in texts]
    assert versions
    assert not missing
