"""Helpers work under the control word of their caller: flush-to-zero, as fast-math libraries set it."""

from __future__ import annotations

import ctypes
import mmap
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

import gradstep as gs
from bits import Array, digest

pytestmark = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64") or sys.platform == "win32",
    reason="the machine code below is x86-64's, in the calling convention of Unix",
)

#: Flush to zero what would be subnormal, and read what is subnormal as zero.
FLUSH = 0x8040
#: ldmxcsr [rdi]; ret; and stmxcsr [rdi]; ret.
LOAD, STORE = b"\x0f\xae\x17\xc3", b"\x0f\xae\x1f\xc3"

SIZE = 1 << 19


@pytest.fixture(scope="module")
def code() -> mmap.mmap:
    """Memory that holds the two functions."""
    try:
        memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError as error:
        pytest.skip(f"this system gives no executable memory: {error}")
    memory[: len(LOAD + STORE)] = LOAD + STORE
    return memory


def call(code: mmap.mmap, function: bytes, word: ctypes.c_uint32) -> None:
    start = ctypes.addressof(ctypes.c_char.from_buffer(code)) + (LOAD + STORE).index(function)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(start)(ctypes.byref(word))


@contextmanager
def flushing(code: mmap.mmap, on: bool) -> Iterator[None]:
    """This thread flushes to zero, if `on`."""
    before = ctypes.c_uint32()
    call(code, STORE, before)
    call(code, LOAD, ctypes.c_uint32(before.value | (FLUSH if on else 0)))
    try:
        yield
    finally:
        call(code, LOAD, before)


def subnormal(dtype: type[np.floating], seed: int) -> Array:
    """Numbers on both sides of the smallest that is normal."""
    scale = np.finfo(dtype).tiny
    return (np.random.default_rng(seed).normal(size=SIZE) * np.float64(scale)).astype(dtype)


def steps(code: mmap.mmap, threads: int, on: bool) -> str:
    """What steps over subnormal numbers leave, with the norms."""
    params = {"single": subnormal(np.float32, 1), "double": subnormal(np.float64, 2)}
    grads = {"single": subnormal(np.float32, 3), "double": subnormal(np.float64, 4)}
    opt = gs.SGD(params, lr=0.3, momentum=0.9, clip_norm=np.inf)
    norms = []
    with flushing(code, on), gs.num_threads(threads):
        for _ in range(3):
            opt.step(grads)
            norms.append(opt.grad_norm)
    state = [array for slots in opt.state.values() for array in slots.values()]
    return digest([*params.values(), *state, np.array(norms)])


def test_the_code_sets_what_it_is_to_set(code: mmap.mmap) -> None:
    for on in (True, False):
        with flushing(code, on):
            halves = subnormal(np.float64, 1) * 0.5
        assert bool((np.abs(halves[halves != 0]) >= np.finfo(float).tiny).all()) == on


def test_the_same_bits_at_any_number_of_threads(code: mmap.mmap) -> None:
    """Flushing and not in turns, so that what a helper took over once must not stay."""
    found: dict[bool, list[str]] = {True: [], False: []}
    for threads in (1, 2, 4, 2):
        for on in found:
            found[on].append(steps(code, threads, on))
    assert len(set(found[True])) == len(set(found[False])) == 1
    assert found[True] != found[False]
