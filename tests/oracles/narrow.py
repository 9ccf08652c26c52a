"""State in fewer bits: codecs and random bits in NumPy, on the bits of float32.

All functions take arrays of one axis, in the order of memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
Array = NDArray[Any]

BLOCK = 128
LEAST = 4096
WEYL = 0x9E3779B9
SIGN = 0x80000000


def bits(x: Array) -> Words:
    return np.ascontiguousarray(x, np.float32).view(np.uint32)


def floats(b: Array) -> Array:
    return np.ascontiguousarray(b, np.uint32).view(np.float32)


def key(seed: int, t: int, tensor: int, pair: int) -> int:
    """The splitmix64 finalizer, of which the lower half is taken."""
    m = (1 << 64) - 1
    z = (
        seed
        ^ (t * 0x9E3779B97F4A7C15 & m)
        ^ (tensor * 0xD1B54A32D192ED03 & m)
        ^ (pair * 0xA0761D6478BD642F & m)
    )
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & m
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & m
    return (z ^ (z >> 31)) & 0xFFFFFFFF


def random(n: int, seed: int, t: int, tensor: int, slot: int) -> Words:
    """32 bits for each element of a pair of slots."""
    x: Words = np.uint32(key(seed, t, tensor, slot // 2)) + np.arange(n, dtype=np.uint32) * np.uint32(WEYL)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0x21F0AAAD)
    return x ^ (x >> np.uint32(15))


def bfloat16(x: Array, r: Words) -> Array:
    """The upper half, after r < 2¹⁶ was added to the lower one; NaNs as they are."""
    return (np.where(np.isnan(x), bits(x), bits(x) + r) >> 16).astype(np.uint16)


def bfloat16_nearest(x: Array) -> Array:
    b = bits(x)
    quiet, even = b | 0x400000, b + 0x7FFF + ((b >> 16) & 1)
    return (np.where(np.isnan(x), quiet, even) >> 16).astype(np.uint16)


def from_bfloat16(h: Array) -> Array:
    return floats(h.astype(np.uint32) << 16)


def blocks(x: Array) -> Array:
    return np.concatenate([x, np.zeros(-len(x) % BLOCK, x.dtype)]).reshape(-1, BLOCK)


def float8(x: Array, r: Words, signed: bool) -> tuple[Array, Array]:
    """Codes and the exponents of their blocks, with r < 2²⁰."""
    n, b = len(x), blocks(np.where(np.isnan(x), np.float32(np.nan), x))
    nan = np.isnan(b)
    sign = bits(b) & SIGN if signed else np.zeros_like(bits(b))
    size = np.where(nan, 0x7FC00000, bits(b) & (SIGN - 1)).astype(np.uint32)
    top = size.max(1, keepdims=True, initial=0).astype(np.int64)
    room, octaves, least = (0x100200, 15, 1) if signed else (0x100000, 31, 0)
    exponent = np.maximum(np.minimum((top + room) >> 23, 255) - octaves, least).astype(np.uint32)
    base = exponent << 23
    r = blocks(r)
    if signed:
        moved = floats(size | sign) + floats(base | sign)
        code = ((bits(moved) + (r | (0 - base).astype(np.uint32))) >> 20) & 0x7F | (sign >> 24)
    else:
        code = (np.maximum(size, base) - base + r) >> 20
    return code.astype(np.uint8).ravel()[:n], exponent.astype(np.uint8).ravel()


def from_float8(codes: Array, exponents: Array, signed: bool) -> Array:
    c = blocks(codes.astype(np.uint8)).astype(np.uint32)
    base = exponents.astype(np.uint32)[:, None] << 23
    if signed:
        size = floats(((c & 0x7F) << 20) + base) - floats(base)
        x = floats(bits(size) | (c >> 7 << 31))
    else:
        x = floats((c << 20) + base)
    return x.ravel()[: len(codes)]


def kept(x: Array, form: str, signed: bool, seed: int, t: int, tensor: int, slot: int) -> Array:
    """What a slot holds after update number t was to leave x there."""
    r, upper = random(len(x), seed, t, tensor, slot), slot % 2
    if form == "bfloat16":
        return from_bfloat16(bfloat16(x, r >> np.uint32(16) if upper else r & np.uint32(0xFFFF)))
    r = r >> np.uint32(12) if upper else r & np.uint32(0xFFFFF)
    return from_float8(*float8(x, r, signed), signed)
