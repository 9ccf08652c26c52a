"""Where arrays lie that are sent, and whose each stretch is."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gradstep._core import CHUNK
from gradstep.checkpoints.narrow import BLOCK
from gradstep.mpi import flatten
from gradstep.mpi.layouts import LARGE, UNIT, Layout, Leaf, axes, in_order, like
from gradstep.mpi.memories import Apart
from gradstep.mpi.stretches import flat_memory

F4, F8 = np.dtype("f4"), np.dtype("f8")

MIXED = [
    Leaf(F4, 3),
    Leaf(F8, 2 * CHUNK + 1),
    Leaf(F4, 0),
    Leaf(F4, 5 * CHUNK),
    Leaf(F8, 2 * CHUNK, 2),
    Leaf(F4, 7),
]


def resnet50() -> list[int]:
    """The lengths of ResNet-50's arrays."""
    lengths, width = [64 * 3 * 49, 64, 64], 64
    for blocks, inner in zip((3, 4, 6, 3), (64, 128, 256, 512), strict=True):
        for block in range(blocks):
            lengths += [inner * width, inner, inner, inner * inner * 9, inner, inner]
            lengths += [4 * inner * inner, 4 * inner, 4 * inner]
            if block == 0:
                lengths += [4 * inner * width, 4 * inner, 4 * inner]
            width = 4 * inner
    return [*lengths, 1000 * 2048, 1000]


def gpt2() -> list[int]:
    """Those of GPT-2 with 124 M."""
    of_block = [768, 768, 768 * 2304, 2304, 768 * 768, 768, 768, 768, 768 * 3072, 3072, 3072 * 768, 768]
    return [50257 * 768, 1024 * 768, *(of_block * 12), 768, 768]


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 7, 40])
def test_stretches_cover_each_element_once_and_begin_where_chunks_do(ranks: int) -> None:
    layout = Layout.of(MIXED, ranks)
    for leaf, kind in enumerate(MIXED):
        found = [layout.stretch(rank, leaf) for rank in range(ranks)]
        elements = [i for part in found for i in range(part.start, part.stop)]
        assert elements == list(range(kind.reals // kind.each))
        assert all(part.start * kind.each % CHUNK == 0 for part in found)
    assert (layout.cuts % UNIT == 0).all()
    assert layout.chunks_of_ranks(None).sum() == sum(-(-leaf.reals // CHUNK) for leaf in MIXED)


def test_blocks_are_not_cut() -> None:
    assert CHUNK % BLOCK == 0


@pytest.mark.parametrize("ranks", [1, 3])
def test_arrays_that_are_apart_are_sent_in_messages_that_hold_all_of_them(ranks: int) -> None:
    random = np.random.default_rng(0)
    sizes = [
        (5, "f4"),
        (0, "f8"),
        (LARGE // 8 + 1, "f8"),
        (LARGE // 4, "f4"),
        (3, "f8"),
        (7, "f4"),
        (9, "f4"),
    ]
    arrays = [random.normal(size=size).astype(dtype) for size, dtype in sizes]
    layout = Layout.of([Leaf.of(array) for array in arrays], ranks)
    assert layout.groups == [range(2), range(2, 3), range(3, 4), range(4, 7)]
    flat = np.zeros(layout.nbytes, np.uint8)
    for view, array in zip(layout.views(flat, arrays), arrays, strict=True):
        view[...] = array
    memory, sent = Apart(layout, arrays), np.zeros(layout.nbytes, np.uint8)
    for begin, end in pairwise(layout.cuts.tolist()):
        for a, b in layout.messages(begin, end):
            assert len(memory.view(a, b)) == b - a > 0
            sent[a:b] = memory.view(a, b)
    assert (sent == flat).all()
    assert np.shares_memory(memory.view(*layout.messages(0, layout.nbytes)[1]), arrays[2])
    memory.view(0, UNIT)[:4] = np.float32(0.5).reshape(1).view(np.uint8)
    memory.unpack()
    assert arrays[0][0] == 0.5
    assert (arrays[6] == layout.views(flat, arrays)[6]).all()


@pytest.mark.parametrize("items", [[0], [1, 3], [2], [0, 2, 3, 5], list(range(6))])
def test_chunks_of_some_arrays_are_counted_for_each_rank(items: list[int]) -> None:
    layout = Layout.of(MIXED, 4)
    want = []
    for rank in range(4):
        stretches = [(layout.stretch(rank, leaf), MIXED[leaf].each) for leaf in items]
        want.append(sum(-(-(part.stop - part.start) * each // CHUNK) for part, each in stretches))
    assert layout.chunks_of_ranks(items).tolist() == want


@pytest.mark.parametrize("lengths", [resnet50(), gpt2()], ids=["ResNet-50", "GPT-2"])
def test_the_largest_share_is_at_most_a_chunk_above_the_mean(lengths: list[int]) -> None:
    assert sum(lengths) in (25_557_032, 124_439_808)
    for ranks in range(2, 65):
        layout = Layout.of([Leaf(F4, n) for n in lengths], ranks)
        shares = np.diff(layout.cuts) / 4
        assert shares.max() <= sum(lengths) / ranks + CHUNK + 4 * len(lengths) / ranks
        of_state = [
            sum(
                part.stop - part.start
                for leaf in range(len(lengths))
                for part in [layout.stretch(rank, leaf)]
            )
            for rank in (0, ranks // 2, ranks - 1)
        ]
        assert 4 * max(of_state) <= 4 * sum(lengths) / ranks + 128 * 1024


def test_runs_end_where_the_dtype_changes() -> None:
    layout = Layout.of(MIXED, 1)
    runs = layout.runs(0, layout.nbytes)
    assert [run.dtype for run in runs] == [F4, F8, F4, F8, F4]
    assert all(a.stop == b.start for a, b in pairwise(runs))
    assert (runs[0].start, runs[-1].stop) == (0, layout.nbytes)
    inside = layout.runs(16 + 64, 16 + 128)
    assert inside == [(80, 144, F8)]
    assert layout.runs(5, 5) == []


def test_nothing_to_share() -> None:
    layout = Layout.of([Leaf(F4, 0), Leaf(F8, 0)], 3)
    assert layout.nbytes == 0
    assert layout.cuts.tolist() == [0, 0, 0, 0]
    assert layout.stretch(1, 0) == slice(0, 0)


@pytest.mark.parametrize("order", ["C", "F", "other"])
def test_arrays_are_seen_in_the_order_of_memory(order: str) -> None:
    array: np.ndarray[Any, Any] = np.arange(24.0).reshape(2, 3, 4)
    array = {"C": array, "F": np.asfortranarray(array), "other": array.transpose(2, 0, 1)}[order]
    flat = in_order(array)
    assert np.shares_memory(flat, array)
    assert flat.strides == (8,)
    again = like(flat.view(np.uint8), array)
    assert again.strides == array.strides
    assert (again == array).all()
    assert axes(again) == axes(array)


def test_flattened_parameters_are_one_stretch_of_memory() -> None:
    given: list[Any] = [
        {"params": [np.ones((2, 3), order="F"), np.zeros(5, np.float32)], "lr": 0.1},
        {"params": np.ones(3)},
    ]
    made = flatten(given)
    assert made[0]["lr"] == 0.1
    arrays = [*made[0]["params"], made[1]["params"]]
    assert [array.tolist() for array in arrays] == [np.ones((2, 3)).tolist(), [0.0] * 5, [1.0] * 3]
    assert arrays[0].flags.f_contiguous
    layout = Layout.of([Leaf.of(array) for array in arrays], 2)
    flat = flat_memory(arrays, layout)
    assert flat is not None
    assert len(flat) == layout.nbytes
    arrays[1][...] = 7.0
    assert (flat.view(np.float32) == 7.0).sum() == 5


def test_other_parameters_are_not() -> None:
    arrays = [np.ones(4), np.ones(4)]
    layout = Layout.of([Leaf.of(array) for array in arrays], 2)
    assert flat_memory(arrays, layout) is None
    inside = np.ones(16)
    assert flat_memory([inside[:4], inside[4:8]], layout) is not None
    assert flat_memory([inside[4:8], inside[:4]], layout) is None
    assert flat_memory([inside[8:12], inside[12:16]], layout) is not None
    short = np.ones(7)
    assert flat_memory([short[:4], short[4:7]], Layout.of([Leaf(F8, 4), Leaf(F8, 3)], 1)) is None


def test_bad_parameters_are_refused() -> None:
    with pytest.raises(TypeError, match="params is an int"):
        flatten(3)  # type: ignore[type-var]
