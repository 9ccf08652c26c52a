"""State dicts put into optimizers: all is compared before anything is changed."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gradstep.archives import Stored
from gradstep.checkpoints import texts
from gradstep.checkpoints.differences import Comparison
from gradstep.checkpoints.faults import check
from gradstep.checkpoints.narrow import packed
from gradstep.checkpoints.records import Record, record
from gradstep.checkpoints.renaming import renamed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from gradstep import _core


class CheckpointWarning(UserWarning):
    """Something of a state dict was not taken: a hyperparameter that differs, or what did not fit.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> saved = gs.SGD(np.ones(2), lr=0.5).state_dict()
        >>> gs.SGD(np.ones(2), lr=0.1).load_state_dict(saved)  # doctest: +SKIP
        CheckpointWarning: not taken:
          lr = 0.5: the optimizer's own stays, 0.1
    """


def load(
    optimizer: _core.Optimizer,
    rule: str,
    given: Mapping[str, Any],
    strict: bool = True,
    rename: Mapping[str, str] | None = None,
    hyperparameters: bool = False,
    convert: bool = False,
) -> Record:
    """Bring an optimizer to where the one was that a state dict is of; see `Optimizer.load_state_dict`."""
    loading = Loading(optimizer, rule, given, rename, hyperparameters, convert)
    if strict and loading.found:
        raise ValueError("\n  ".join(["the state dict does not fit this optimizer:", *loading.found]))
    loading.try_conversions()
    loading.advance()
    loading.copy()
    # Of who called the method of the optimizer that called this.
    warn(loading.notes, stacklevel=4)
    return rest(loading.saved, loading.fits)


class Loading:
    """A state dict beside the optimizer that it is to be loaded into, which has not been changed as yet.

    Args:
        optimizer, rule: the optimizer, and the name of its rule.
        given: the state dict.
        rename, hyperparameters, convert: as of `Optimizer.load_state_dict`.
        own: what `record` gives of the optimizer, if that is something else here.

    Attributes:
        saved: the state dict, with the names that its parameters have here.
        fits: what the two have in common.
        found: their differences, a sentence each.
        notes: these, and the hyperparameters that stay as they are.

    Raises:
        TypeError, ValueError: it is no state dict.
    """

    def __init__(
        self,
        optimizer: _core.Optimizer,
        rule: str,
        given: Mapping[str, Any],
        rename: Mapping[str, str] | None,
        hyperparameters: bool,
        convert: bool,
        own: Record | None = None,
    ) -> None:
        check(given)
        self.optimizer = optimizer
        self.saved: Record = {**given, "parameters": renamed(given["parameters"], rename or {})}
        self.own = record(optimizer, rule, live=True) if own is None else own
        mine, theirs = (
            [group["hyperparameters"] for group in one["groups"]] for one in (self.own, self.saved)
        )
        taken = set(mine[0]) - set(optimizer._started_from) if hyperparameters else set()
        self.replaced = assignments(mine, theirs, taken)
        self.fits = Comparison(self.own, self.saved, bool(self.replaced), convert)
        self.found = self.fits.found
        self.notes = self.found + list(kept(mine, theirs, taken))

    def advance(self) -> Callable[[], None]:
        """Take over all but the arrays, or nothing; give what takes it back."""
        if any(self.fits.slots.values()) or any(self.fits.conversions.values()):
            self.optimizer._unseal()
        return advance(self.optimizer, self.own, self.saved, self.fits, self.replaced)

    def try_conversions(self) -> None:
        """Bring what is kept in another format into copies of the slots, as it may not fit there.

        Raises:
            ValueError: a number is below 0 where there is none, say.
        """
        for name, conversions in self.fits.conversions.items():
            for slot, (mine, converted) in conversions.items():
                with named(name, slot):
                    packed(mine).copy()[...] = converted.read()

    def copy(self) -> None:
        """Take over the arrays."""
        copy(self.fits)


def warn(notes: list[str], stacklevel: int) -> None:
    """Say what was not taken, if anything."""
    if notes:
        warnings.warn("\n  ".join(["not taken:", *notes]), CheckpointWarning, stacklevel=stacklevel)


def advance(
    optimizer: _core.Optimizer, own: Record, saved: Record, fits: Comparison, replaced: Mapping[str, Any]
) -> Callable[[], None]:
    """Take over what fits but the arrays, or nothing; give what takes it back."""
    progress, scalars, feedback = optimizer._progress, optimizer.scalars, optimizer.feedback_state
    before = {name: together([group[name] for group in optimizer._hyperparameters]) for name in replaced}

    def back() -> None:
        for name, value in before.items():
            optimizer._set_hyper(name, value)
        optimizer._resume(progress)
        optimizer.feedback_state, optimizer.scalars = feedback, scalars

    try:
        optimizer._resume(advanced(progress, own, saved, fits))
        for name, value in replaced.items():
            optimizer._set_hyper(name, value)
        if fits.feedback:
            optimizer.feedback_state = saved["feedback"]
        if fits.scalars:
            optimizer.scalars = [group["scalars"] for group in saved["groups"]]
    except BaseException:
        back()
        raise
    return back


def copy(fits: Comparison) -> None:
    """Take over the arrays that fit: the last of all, when nothing else is left that could fail."""
    for slots in fits.slots.values():
        for mine, theirs in slots.values():
            if isinstance(theirs, Stored):
                theirs.read_into(mine)
            else:
                mine[...] = theirs
    for conversions in fits.conversions.values():
        for mine, converted in conversions.values():
            packed(mine)[...] = converted.read()


@contextmanager
def named(name: str, slot: str) -> Iterator[None]:
    """Say in an error what does not fit."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{name!r} has a slot {slot!r} that does not fit: {error}") from error


def advanced(progress: Record, own: Record, saved: Record, fits: Comparison) -> Record:
    """Give the progress of the saved run, with its own for parameters that it does not have."""
    step_count, counts, frozen, waiting = saved["step_count"], [], [], []
    for name, of_one in own["parameters"].items():
        taken = saved["parameters"][name] if name in fits.slots else {**of_one, "waiting": False}
        counts.append(taken["count"] if name in fits.slots else min(taken["count"], step_count))
        frozen.append(taken["frozen"])
        waiting.append(taken["waiting"] and fits.window)
    return {
        "step_count": step_count,
        "skipped": saved["skipped"],
        "counts": counts,
        "frozen": frozen,
        "waiting": waiting,
        "window": saved["window"] if fits.window else dict.fromkeys(progress["window"], 0),
    }


def assignments(own: list[Record], saved: list[Record], names: Collection[str]) -> dict[str, Any]:
    """Give the values of those hyperparameters that differ and that are known."""
    if len(own) != len(saved):
        return {}
    values = {}
    for name in [name for name in own[0] if name in names]:
        theirs = [group.get(name) for group in saved]
        if None not in theirs and theirs != [group[name] for group in own]:
            values[name] = together([texts.read(text) for text in theirs if text is not None])
    return values


def together(values: list[Any]) -> Any:
    """Make one value for all groups, or a tuple of one for each."""
    return values[0] if all(repr(value) == repr(values[0]) for value in values) else tuple(values)


def kept(own: list[Record], saved: list[Record], replaced: Collection[str]) -> Iterator[str]:
    """Describe the hyperparameters that stay as the constructor has them."""
    for i, (mine, theirs) in enumerate(zip(own, saved, strict=False)):
        place = f" of group {i}" if len(own) > 1 else ""
        for name, value in mine.items():
            if name not in theirs:
                continue
            if theirs[name] is None:
                yield f"{name}{place}, which is made of a function: the optimizer's own stays"
            elif theirs[name] != value and name not in replaced:
                shown = "made of a function" if value is None else value
                yield f"{name}{place} = {theirs[name]}: the optimizer's own stays, {shown}"


def rest(saved: Record, fits: Comparison) -> Record:
    """Give what was not taken, in the form of a state dict."""
    parameters = {}
    for name, of_one in saved["parameters"].items():
        if name not in fits.slots:
            parameters[name] = of_one
        elif left := {slot: a for slot, a in of_one["slots"].items() if not fits.takes(name, slot)}:
            parameters[name] = {**of_one, "slots": left}
    left = {
        "parameters": parameters,
        "groups": [] if fits.scalars else saved["groups"],
        "feedback": [] if fits.feedback else saved["feedback"],
        "window": {} if fits.window else saved["window"],
    }
    return {key: part for key, part in left.items() if part}
