"""The native optimizer behind one of torch's kind: its arrays are the tensors' memory."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradstep.pytorch.writing import momentum_product
from gradstep.torch.slots import decoded, fill, tensors
from gradstep.torch.tensors import EXCHANGE, array, gradient, tensor
from gradstep.torch.words import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradstep.optimizers import Optimizer
    from gradstep.torch.words import Words
    from gradstep.types import Floats

#: What a step did, as native code tells it: that all has to be looked at anew, nothing, or several of these
#: bits: something was updated, something for the first time, not everything.
CHANGED, NOTHING, UPDATED, FIRST, PARTIAL = -1, 0, 1, 2, 4

#: What a hyperparameter nearly always is.
PLAIN = (float, int, bool, type(None))

#: What stands nowhere.
MISSING = object()

Groups = list[dict[str, Any]]
#: Keys of a group, the objects that they had, and how many keys there were.
Said = tuple[tuple[str, ...], tuple[Any, ...], int]


class Engine:
    """A native optimizer of the tensors in some groups.

    Args:
        kind: its class.
        words: what the groups say.
        groups: as of ``torch.optim.Optimizer``.
        common: the options of all groups together.

    Raises:
        TypeError, ValueError: a tensor cannot be updated where it is, or a hyperparameter is wrong.
    """

    def __init__(self, kind: type[Optimizer], words: Words, groups: Groups, common: dict[str, Any]) -> None:
        self.kind, self.words = kind, words
        self.besides = tuple(kind(**common)._given["options"])
        self.options = self.read(groups)
        self.tensors: list[Any] = list(chain.from_iterable(group["params"] for group in groups))
        self.views = [
            [array(label(number, i, group), p) for i, p in enumerate(group["params"])]
            for number, group in enumerate(groups)
        ]
        given = [
            {**options, "params": named(group, views)}
            for group, views, options in zip(groups, self.views, self.options, strict=True)
        ]
        self.native = kind(given, **common)
        self.names = list(self.native._state)
        self.note(groups)
        self.watch()

    def watch(self) -> None:
        """Let the tensors be looked at natively at each step."""
        told: Floats
        if EXCHANGE is None:
            told = np.array([*self.native.counts.values()], np.float32)
        else:
            told = self.native._watch(EXCHANGE, self.tensors)
        self.told = told

    def read(self, groups: Groups) -> list[dict[str, Any]]:
        """Give the hyperparameters of each group by our names."""
        return [self.words.read(f"param_groups[{i}]", group, self.besides) for i, group in enumerate(groups)]

    def note(self, groups: Groups) -> None:
        """Note what the groups say, to see later whether it has changed."""
        self.said = [said(group, self.words.keys(group, self.besides)) for group in groups]
        self.settle()

    def heeds(self, groups: Groups) -> bool:
        """Tell whether the groups say what they said, with the same objects."""
        return len(groups) == len(self.said) and all(
            len(group) == count
            and all(group.get(key) is value for key, value in zip(keys, values, strict=True))
            for group, (keys, values, count) in zip(groups, self.said, strict=True)
        )

    def heed(self, groups: Groups) -> bool:
        """Take over hyperparameters that have changed. Tell whether that could be done without a new start.

        Raises:
            TypeError, ValueError: one is wrong; then the next step says so again.
        """
        if len(groups) != len(self.said):
            return False
        told, fresh, resettle = [], [], not self.settled
        for i, (group, (keys, values, count)) in enumerate(zip(groups, self.said, strict=True)):
            now = tuple([group.get(key, MISSING) for key in keys])
            changed = [key for key, new, old in zip(keys, now, values, strict=True) if new is not old]
            if len(group) != count and self.words.keys(group, self.besides) != keys:
                return False
            read = changed if self.settled else [*changed, *self.unsettled[i]]
            fresh.append(self.words.read_again(f"param_groups[{i}]", group, read))
            told.append((keys, now, len(group)))
            for key in changed:
                resettle = resettle or is_mutable(group[key])
        options = [old | new if new else old for old, new in zip(self.options, fresh, strict=True)]
        for name in fresh[0] if len(fresh) == 1 else {name for of_one in fresh for name in of_one}:
            now = tuple([of_one.get(name) for of_one in options])
            if now == tuple([of_one.get(name) for of_one in self.options]):
                continue
            try:
                self.native._set_hyper(name, now[0] if len(now) == 1 else now)
            except (AttributeError, ValueError):
                # It decides on the formula or the state; or it is wrong, which the new start says.
                return False
        self.options, self.said = options, told
        if resettle:
            self.settle()
        return True

    def settle(self) -> None:
        """Find the keys whose objects may change without others being put in their place."""
        self.unsettled = [
            [key for key, value in zip(keys, values, strict=True) if is_mutable(value)]
            for keys, values, _ in self.said
        ]
        self.settled = not any(self.unsettled)

    def step(self, groups: Groups, loss: Any, scale: Any) -> int:
        """Update the tensors by their gradients; give what was done."""
        if EXCHANGE is None:
            return self.step_slowly(groups, loss, scale)
        return self.native._step_watched(groups, self.said, loss, scale)

    def step_slowly(self, groups: Groups, loss: Any, scale: Any) -> int:
        """Do the same by what any version of torch has."""
        counts = list(self.native.counts.values())
        if (
            not self.heeds(groups)
            or not self.is_in_place(groups)
            or self.told.tolist() != [float(count) for count in counts]
        ):
            return CHANGED
        grads = [
            named(group, [gradient(f"grads['{number}.{i}']", p) for i, p in enumerate(group["params"])])
            for number, group in enumerate(groups)
        ]
        updated = self.native.step(grads, loss=loss, scale=1.0 if scale is None else scale)
        now = list(self.native.counts.values())
        self.told[...] = now
        if not updated:
            return NOTHING
        changes = list(zip(counts, now, strict=True))
        first = any(not before and after for before, after in changes)
        partial = any(before == after for before, after in changes)
        return UPDATED | FIRST * first | PARTIAL * partial

    def is_in_place(self, groups: Groups) -> bool:
        """Tell whether the groups have the same tensors in the same memory."""
        found = [list(group["params"]) for group in groups]
        if [len(of_one) for of_one in found] != [len(views) for views in self.views]:
            return False
        return all(
            mine is theirs
            and tuple(mine.shape) == view.shape
            and (not view.size or (mine.data_ptr() == view.ctypes.data and strides(mine) == view.strides))
            for mine, theirs, view in zip(
                self.tensors, chain.from_iterable(found), chain.from_iterable(self.views), strict=True
            )
        )

    def restore(self, state: Mapping[Any, dict[str, Any]], progress: dict[str, Any]) -> None:
        """Go on from a state as torch has it, with the counts of what it does not count."""
        counts, known = [], progress.get("counts", {})
        arrays = self.native._state
        for p, name in zip(self.tensors, self.names, strict=True):
            entry = state.get(p, {})
            found = fill(f"state[{name!r}]", entry, arrays[name], self.words.numbers)
            if "step" in self.words.numbers:
                counts.append(whole(f"state[{name!r}]", entry["step"]) if "step" in entry else 0)
                if found and "step" not in entry:
                    raise ValueError(f"state[{name!r}] has no 'step'")
            else:
                counts.append(known.get(p, 0) if found or not arrays[name] else 0)
                counts[-1] = max(counts[-1], int(found))
        step_count = max([progress.get("step_count", 0), *counts])
        self.native._resume(
            {
                **self.native._progress,
                "step_count": step_count,
                "skipped": progress.get("skipped", 0),
                "counts": counts,
            }
        )
        if scalars := progress.get("scalars"):
            own = self.native.scalars
            self.native.scalars = (*scalars, *own[len(scalars) :])[: len(own)]
        if len(feedback := progress.get("feedback", ())) == len(self.native.feedback_state):
            self.native.feedback_state = feedback
        self.watch()

    def entries(self) -> dict[Any, dict[str, Any]]:
        """Give the state of each parameter that has had an update, of live tensors, as torch has it."""
        state = {}
        for i, (p, name) in enumerate(zip(self.tensors, self.names, strict=True)):
            slots = self.words.ordered(tensors(self.native._state[name]))
            if (self.told[i] > 0 or self.kind.__name__ == "Adagrad") and (slots or self.words.numbers):
                state[p] = {name: self.number(name, i) for name in self.words.numbers} | slots
        return state

    def decode(self, state_dict: dict[str, Any]) -> None:
        """Put tensors of the parameters' dtype into a state dict, in the place of those of fewer bits."""
        for i, entries in state_dict["state"].items():
            slots = self.words.ordered(decoded(self.native._state[self.names[i]]))
            numbers = {name: value for name, value in entries.items() if name in self.words.numbers}
            state_dict["state"][i] = numbers | slots
        for group in state_dict["param_groups"]:
            group.pop("state_dtype", None)

    def number(self, name: str, leaf: int) -> Any:
        """Give a number of a parameter's state."""
        if name == "step":
            return tensor(self.told[leaf, ...])
        return torch.tensor(self.product(leaf))

    def product(self, leaf: int) -> float:
        """Give NAdam's product of momenta, which here follows from the count."""
        options = self.options[self.native._owners[leaf]]
        beta, decay = (first_value(options[name]) for name in ("beta1", "momentum_decay"))
        return momentum_product(int(self.told[leaf]), {"betas": (beta,), "momentum_decay": decay})

    def progress(self) -> dict[str, Any]:
        """Give what torch's state does not tell of how far the run has come."""
        if self.native.micro_step:
            count = self.native.micro_step
            raise RuntimeError(
                f"{count} gradients wait for their update: torch's state has no place for them"
            )
        return {
            "step_count": self.native.step_count,
            "skipped": self.native.skipped,
            "counts": dict(zip(self.tensors, self.native.counts.values(), strict=True)),
            "scalars": self.native.scalars,
            "feedback": self.native.feedback_state,
        }


def said(group: dict[str, Any], keys: tuple[str, ...]) -> Said:
    """Give what a group says."""
    return keys, tuple([group[key] for key in keys]), len(group)


def named(group: dict[str, Any], values: list[Any]) -> Any:
    """Put what belongs to the parameters of a group under their names, if they have different ones."""
    names = group.get("param_names", ())
    return dict(zip(names, values, strict=True)) if len({*names}) == len(values) else values


def label(number: int, i: int, group: dict[str, Any]) -> str:
    """Name a parameter as native errors do."""
    names = group.get("param_names", ())
    return f"params['{number}.{names[i] if len({*names}) == len(group['params']) else i}']"


def strides(tensor: Any) -> tuple[int, ...]:
    """Give how far apart the elements of a tensor are, in bytes."""
    return tuple(step * tensor.element_size() for step in tensor.stride())


def is_mutable(value: Any) -> bool:
    """Tell whether a value may change without another one being put in its place."""
    if type(value) in PLAIN:
        return False
    parts = value if isinstance(value, tuple) else (value,)
    return any(isinstance(part, torch.Tensor | list) for part in parts)


def whole(label: str, value: Any) -> int:
    """Read a count."""
    count = float(number(label, "step", value))
    if not (count >= 0 and count.is_integer()):
        raise ValueError(f"{label}['step'] must be a whole number ≥ 0, got {count}")
    return int(count)


def first_value(rate: Any) -> float:
    """Give what a schedule begins with, or the number that it is."""
    return float(rate(0) if callable(rate) else rate)
