"""Which rank computes which parts, and the tree in which their gradients are added up."""

from __future__ import annotations

import pytest

from gradstep.mpi.orders import additions, are_siblings, blocks, parts_of


def reference(start: int, stop: int, parts: int) -> str:
    """The sum of some leaves of the tree, in brackets."""
    if stop - start == 1:
        return str(start)
    middle = (start + stop) // 2
    left = reference(start, middle, parts)
    return left if middle >= parts else f"({left}+{reference(middle, stop, parts)})"


def tree(parts: int) -> str:
    top = 1
    while top < parts:
        top *= 2
    return reference(0, top, parts)


def summed(ranks: int, parts: int) -> str:
    """What ranks make of it: each adds its parts up as they come, and then one adds up what they have."""
    given, rows = [], []
    for rank in range(ranks):
        stack: list[tuple[tuple[int, int], str]] = []
        for part in parts_of(rank, ranks, parts):
            stack.append(((part, part + 1), str(part)))
            while len(stack) > 1 and are_siblings(stack[-2][0], stack[-1][0]):
                ((_, stop), right), ((start, _), left) = stack.pop(), stack.pop()
                stack.append(((start, stop), f"({left}+{right})"))
        assert [block for block, _ in stack] == blocks(parts_of(rank, ranks, parts))
        given += [block for block, _ in stack]
        rows += [text for _, text in stack]
    for i, j in additions(given, parts):
        rows[i] = f"({rows[i]}+{rows[j]})"
    return rows[0]


@pytest.mark.parametrize("parts", range(1, 34))
def test_the_brackets_do_not_know_the_ranks(parts: int) -> None:
    for ranks in range(1, parts + 3):
        assert summed(ranks, parts) == tree(parts)


@pytest.mark.parametrize(("parts", "brackets"), [(1, "0"), (3, "((0+1)+2)"), (6, "(((0+1)+(2+3))+(4+5))")])
def test_the_reference_is_a_tree(parts: int, brackets: str) -> None:
    assert tree(parts) == brackets


def test_parts_are_shared_evenly_and_in_order() -> None:
    for ranks in range(1, 20):
        for parts in range(1, 40):
            shares = [parts_of(rank, ranks, parts) for rank in range(ranks)]
            assert [part for share in shares for part in share] == list(range(parts))
            assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_power_of_two_times_the_ranks_is_one_block_for_each() -> None:
    for ranks in (1, 2, 3, 5, 64):
        for times in (1, 2, 8):
            assert all(len(blocks(parts_of(rank, ranks, ranks * times))) == 1 for rank in range(ranks))


@pytest.mark.parametrize(("parts", "ranks", "most"), [(8, 3, 2), (64, 3, 5)])
def test_how_many_blocks_a_rank_sends_otherwise(parts: int, ranks: int, most: int) -> None:
    assert max(len(blocks(parts_of(rank, ranks, parts))) for rank in range(ranks)) == most
