"""What a state dict and an optimizer do not have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradstep.checkpoints.narrow import Converted, form, gathered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from gradstep.checkpoints.records import Record


class Comparison:
    """An optimizer's own state dict beside one that is to be loaded into it.

    Args:
        own: of the optimizer.
        saved: what is to be loaded.
        replaces: whether it brings its own feedback schedules, so that those of the optimizer do not matter.
        convert: whether slots that are kept in another format are brought into the optimizer's.

    Attributes:
        found: the differences, a sentence each.
        slots: the pairs of arrays (own, saved) that fit, by parameter and slot.
        conversions: the same for slots that are kept in another format, of whose own there are the parts.
        window, feedback, scalars: whether these fit.
    """

    def __init__(self, own: Record, saved: Record, replaces: bool = False, convert: bool = False) -> None:
        self.convert = convert
        self.found = [
            f"{key} is {saved[key]!r}, but the optimizer's is {own[key]!r}"
            for key in ("class", "rule")
            if own[key] != saved[key]
        ]
        before = len(self.found)
        ignored = {"state_dtype", "seed"} if convert else set()
        self.found += groups(own["groups"], saved["groups"], own["rule"] == saved["rule"], ignored)
        same_groups = len(self.found) == before
        self.scalars = [keys(group, "scalars") for group in own["groups"]] == [
            keys(group, "scalars") for group in saved["groups"]
        ]
        self.slots: dict[str, dict[str, tuple[Any, Any]]] = {}
        self.conversions: dict[str, dict[str, tuple[Any, Converted]]] = {}
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
                    self.slots[name], self.conversions[name] = {}, {}
                    self.found += self.unlike_slots(name, mine, theirs)

    def unlike_slots(self, name: str, own: Record, saved: Record) -> Iterator[str]:
        """Describe the slots of a parameter that do not fit, and note those that do."""
        mine, theirs = gathered(own["slots"]), gathered(saved["slots"])
        for slot in dict.fromkeys([*mine, *theirs]):
            if slot not in theirs:
                yield f"{name!r} has no slot {slot!r}, but the optimizer's has"
            elif slot not in mine:
                yield f"{name!r} has a slot {slot!r}, but the optimizer's has not"
            else:
                yield from self.unlike_slot(name, slot, (own, mine[slot]), (saved, theirs[slot]))

    def unlike_slot(
        self, name: str, slot: str, own: tuple[Record, Record], saved: tuple[Record, Record]
    ) -> Iterator[str]:
        """Do that for one that both have; each comes with the record of its parameter."""
        mine, theirs = own[1], saved[1]
        orders = [record.get("order", []) for record, _ in (saved, own)]
        if form(mine) != form(theirs) or ("codes" in mine and orders[0] != orders[1]):
            converted = Converted(theirs, orders[0], own[0]["shape"], own[0]["dtype"])
            faults = list(converted.faults())
            if faults:
                yield f"{name!r} has a slot {slot!r} that {faults[0]}"
            elif not self.convert:
                said, own_form = f"is kept in {form(theirs)}", f"the optimizer's is in {form(mine)}"
                if form(mine) == form(theirs):
                    said = f"lies in memory with its axes in the order {orders[0]}"
                    own_form = f"the optimizer's is in {orders[1]}"
                yield f"{name!r} has a slot {slot!r} that {said}, but {own_form}{HINT}"
            else:
                self.conversions[name][slot] = (mine, converted)
            return
        for part, array in mine.items():
            whole, given = f"{slot}.{part}" if part else slot, theirs[part]
            if (given.shape, given.dtype) != (array.shape, array.dtype):
                a, b = (f"{a.dtype} of shape {a.shape}" for a in (given, array))
                yield f"{name!r} has a slot {whole!r} of {a}, but the optimizer's is of {b}"
            else:
                self.slots[name][whole] = (array, given)

    def takes(self, name: str, slot: str) -> bool:
        """Tell whether a slot of a parameter, or a part of one, is taken."""
        whole = slot.rpartition(".")[0]
        return slot in self.slots[name] or bool({slot, whole} & self.conversions[name].keys())


HINT = "; load it with convert=True"
"""What is to be done about another format."""


def groups(
    own: list[Record], saved: list[Record], same_rule: bool, ignored: Collection[str] = ()
) -> Iterator[str]:
    """Describe how the groups' formulas differ; of those of two rules, in what both have."""
    if len(own) != len(saved):
        yield f"it has {len(saved)} groups, but the optimizer has {len(own)}"
        return
    for i, (mine, theirs) in enumerate(zip(own, saved, strict=True)):
        place = f" of group {i}" if len(own) > 1 else ""
        for name in dict.fromkeys([*mine["switches"], *theirs["switches"]]):
            a, b = (record["switches"].get(name, UNSAID.get(name)) for record in (theirs, mine))
            if a != b and name not in ignored and (same_rule or None not in (a, b)):
                yield f"{name}{place} is {a!r}, but the optimizer's is {b!r}"
        if keys(mine, "scalars") != keys(theirs, "scalars"):
            a, b = keys(theirs, "scalars"), keys(mine, "scalars")
            yield f"scalars{place} has {a}, but the optimizer's has {b}"


UNSAID = {"seed": 0}
"""What a switch is in files that are older than it."""


def keys(record: Record, key: str) -> list[str]:
    """List the names in a part of a record."""
    return list(record[key])
