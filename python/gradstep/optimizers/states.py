"""The state of an optimizer, to be read and written into but not replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Never, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradstep.types import Floats


class Slots(Mapping[str, "Floats | Any"]):
    """The state arrays of one parameter by their names: live views, or `gradstep.Packed` of them.

    Copies and pickles are plain dicts.
    """

    # For type checkers "or Any" stands for Packed: who has no state_dtype, as nearly everybody, need not ask.

    def __init__(self, parameter: str, arrays: dict[str, Floats | Any]) -> None:
        self._parameter, self._arrays = parameter, arrays

    def __getitem__(self, slot: str) -> Floats | Any:
        return self._arrays[slot]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __setitem__(self, slot: str, value: Never) -> NoReturn:
        place = f"state[{self._parameter!r}][{slot!r}]"
        raise TypeError(f"{place} cannot be replaced, only written into: {place}[...] = value")

    def __delitem__(self, slot: str) -> NoReturn:
        raise TypeError(f"state[{self._parameter!r}][{slot!r}] cannot be deleted: the optimizer needs it")

    def __repr__(self) -> str:
        return repr(self._arrays)

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (self._arrays,)


class State(Mapping[str, Slots]):
    """The state of all parameters by their names.

    Copies and pickles are plain dicts of dicts.
    """

    def __init__(self, slots: dict[str, Slots]) -> None:
        self._slots = slots

    def __getitem__(self, parameter: str) -> Slots:
        return self._slots[parameter]

    def __iter__(self) -> Iterator[str]:
        return iter(self._slots)

    def __len__(self) -> int:
        return len(self._slots)

    def __setitem__(self, parameter: str, value: Never) -> NoReturn:
        place = f"state[{parameter!r}]"
        raise TypeError(f"{place} cannot be replaced, only written into: {place}[slot][...] = value")

    def __delitem__(self, parameter: str) -> NoReturn:
        raise TypeError(f"state[{parameter!r}] cannot be deleted: the optimizer needs it")

    def __repr__(self) -> str:
        return repr(self._slots)

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, ({name: dict(slots) for name, slots in self._slots.items()},)
