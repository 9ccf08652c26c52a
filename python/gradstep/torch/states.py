"""The state of an optimizer as users of torch read it and write to it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

#: The methods of dicts that change them.
CHANGING = (
    "__setitem__", "__delitem__", "__ior__", "clear", "pop", "popitem", "setdefault", "update",
)  # fmt: skip


class Changes:
    """Whether somebody has put other objects into the state since the optimizer looked at it."""

    made = False


def noticed(name: str, base: type) -> Any:
    """Make a method of dicts that notes that it was called."""
    method = getattr(base, name)

    def changing(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.changes.made = True
        return method(self, *args, **kwargs)

    changing.__name__ = name
    return changing


class Slots(dict[str, Any]):
    """The state of one parameter: live tensors by their names, and its count, ``"step"``.

    Tensors are written into in place, or replaced: the next step takes over what is there.
    """

    changes: Changes

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


class State(defaultdict[Any, Slots]):
    """The state of each parameter that has any, as of every ``torch.optim.Optimizer``."""

    changes: Changes

    def __init__(self, changes: Changes) -> None:
        super().__init__(Slots)
        self.changes = changes

    def __missing__(self, parameter: Any) -> Slots:
        return self.put(parameter, {})

    def put(self, parameter: Any, entries: dict[str, Any]) -> Slots:
        """Give a parameter its entries, as the optimizer does."""
        slots = Slots(entries)
        slots.changes = self.changes
        super().__setitem__(parameter, slots)
        return slots

    def put_all(self, state: dict[Any, dict[str, Any]], parameters: list[Any]) -> None:
        """Give all of these parameters their entries, and take those away that others of them have."""
        for parameter in parameters:
            if parameter in self:
                super().__delitem__(parameter)
        for parameter, entries in state.items():
            self.put(parameter, entries)
        self.changes.made = False

    def add(self, state: dict[Any, dict[str, Any]]) -> None:
        """Give those parameters their entries that have none, or only a dict that somebody has asked for."""
        for parameter, entries in state.items():
            if not (slots := self.get(parameter)):
                dict.update(self.put(parameter, {}) if slots is None else slots, entries)

    def __reduce__(self) -> tuple[Any, ...]:
        return plain, ([(parameter, dict(slots)) for parameter, slots in self.items()],)


def watch(kind: type, base: type) -> None:
    """Let a class of dicts notice when it is changed."""
    for name in CHANGING:
        setattr(kind, name, noticed(name, base))


watch(Slots, dict)
watch(State, defaultdict)


def plain(entries: list[tuple[Any, dict[str, Any]]]) -> defaultdict[Any, dict[str, Any]]:
    """Make a state that nobody watches, as of a copy or a pickle."""
    return defaultdict(dict, entries)
