"""What a state dict and an optimizer do not have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradstep.checkpoints.records import Record


class Comparison:
    """An optimizer's own state dict beside one that is to be loaded into it.

    Args:
        own: of the optimizer.
        saved: what is to be loaded.
        replaces: whether it brings its own feedback schedules, so that those of the optimizer do not matter.

    Attributes:
        found: the differences, a sentence each.
        slots: the pairs of arrays (own, saved) that fit, by parameter and slot.
        window, feedback, scalars: whether these fit.
    """

    def __init__(self, own: Record, saved: Record, replaces: bool = False) -> None:
        self.found = [
            f"{key} is {saved[key]!r}, but the optimizer's is {own[key]!r}"
            for key in ("class", "rule")
            if own[key] != saved[key]
        ]
        before = len(self.found)
        self.found += groups(own["groups"], saved["groups"], own["rule"] == saved["rule"])
        same_groups = len(self.found) == before
        self.scalars = [keys(group, "scalars") for group in own["groups"]] == [
            keys(group, "scalars") for group in saved["groups"]
        ]
        self.slots: dict[str, dict[str, tuple[Any, Any]]] = {}
        self.compare(own["parameters"], saved["parameters"])
        mine, theirs = ([list(one) for one in record["feedback"]] for record in (own, saved))
        self.feedback = replaces or mine == theirs
        if not self.feedback:
            self.found.append(f"feedback has the states {theirs}, but the optimizer's has {mine}")
        waiting = [name for name, of_one in saved["parameters"].items() if of_one["waiting"]]
        self.window = saved["window"]["count"] == 0 or (
            same_groups and all("accumulated" in self.slots.get(name, ()) for name in waiting)
        )

    def compare(self, own: Mapping[str, Record], saved: Mapping[str, Record]) -> None:
        """Compare the parameters."""
        self.found += [f"it has no {name!r}, but params has" for name in own if name not in saved]
        self.found += [f"it has {name!r}, but params has not" for name in saved if name not in own]
        for name in own:
            if name in saved:
                mine, theirs = own[name], saved[name]
                unlike = [key for key in ("shape", "dtype", "group") if mine[key] != theirs[key]]
                self.found += [
                    f"{name!r} has {key} {theirs[key]}, but params[{name!r}] has {mine[key]}"
                    for key in unlike
                ]
                if unlike in ([], ["group"]):
                    self.slots[name] = {}
                    self.found += self.unlike_slots(name, mine["slots"], theirs["slots"])

    def unlike_slots(self, name: str, own: Mapping[str, Any], saved: Mapping[str, Any]) -> Iterator[str]:
        """Describe the slots of a parameter that do not fit, and note those that do."""
        for slot in dict.fromkeys([*own, *saved]):
            if slot not in saved:
                yield f"{name!r} has no slot {slot!r}, but the optimizer's has"
            elif slot not in own:
                yield f"{name!r} has a slot {slot!r}, but the optimizer's has not"
            elif (saved[slot].shape, saved[slot].dtype) != (own[slot].shape, own[slot].dtype):
                theirs, mine = (f"{a.dtype} of shape {a.shape}" for a in (saved[slot], own[slot]))
                yield f"{name!r} has a slot {slot!r} of {theirs}, but the optimizer's is of {mine}"
            else:
                self.slots[name][slot] = (own[slot], saved[slot])


def groups(own: list[Record], saved: list[Record], same_rule: bool) -> Iterator[str]:
    """Describe how the groups' formulas differ; of those of two rules, in what both have."""
    if len(own) != len(saved):
        yield f"it has {len(saved)} groups, but the optimizer has {len(own)}"
        return
    for i, (mine, theirs) in enumerate(zip(own, saved, strict=True)):
        place = f" of group {i}" if len(own) > 1 else ""
        for name in dict.fromkeys([*mine["switches"], *theirs["switches"]]):
            a, b = (record["switches"].get(name) for record in (theirs, mine))
            if a != b and (same_rule or None not in (a, b)):
                yield f"{name}{place} is {a!r}, but the optimizer's is {b!r}"
        if keys(mine, "scalars") != keys(theirs, "scalars"):
            a, b = keys(theirs, "scalars"), keys(mine, "scalars")
            yield f"scalars{place} has {a}, but the optimizer's has {b}"


def keys(record: Record, key: str) -> list[str]:
    """List the names in a part of a record."""
    return list(record[key])
