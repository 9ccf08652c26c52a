"""Comparing arrays bit for bit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def same_bits(a: Array, b: Array) -> NDArray[np.bool_]:
    """Where two arrays have the same bits. Any NaN is like any other; −0 is not like +0."""
    if a.dtype.kind == "c":
        return same_bits(a.real, b.real) & same_bits(a.imag, b.imag)
    equal: NDArray[np.bool_] = (a == b) & (np.signbit(a) == np.signbit(b)) | (np.isnan(a) & np.isnan(b))
    return equal


def assert_same_bits(got: Array, want: Array, what: str) -> None:
    """Two arrays are the same in dtype, shape and every bit."""
    assert got.dtype == want.dtype, f"{what} has dtype {got.dtype}, not {want.dtype}"
    assert got.shape == want.shape, f"{what} has shape {got.shape}, not {want.shape}"
    same = same_bits(got, want)
    if not same.all():
        at = tuple(np.argwhere(~same)[0])
        raise AssertionError(
            f"{what} differs in {same.size - same.sum()} of {same.size} elements; at {at} it is "
            f"{got[at]!r}, not {want[at]!r}"
        )


def assert_same_state(
    got: Mapping[str, Mapping[str, Array]], want: Mapping[str, Mapping[str, Array]], what: str = ""
) -> None:
    """Two optimizer states have the same names, slots and bits."""
    assert list(got) == list(want), what
    for name, slots in got.items():
        assert sorted(slots) == sorted(want[name]), f"{what} {name}"
        for slot, array in slots.items():
            assert_same_bits(array, want[name][slot], f"{what} {slot} of {name}")


def digest(arrays: Iterable[Array]) -> str:
    """A hash of the bytes of some arrays."""
    hashed = hashlib.sha256()
    for array in arrays:
        hashed.update(np.ascontiguousarray(array).tobytes())
    return hashed.hexdigest()
