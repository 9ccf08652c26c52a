"""A series of measurements that thins itself out when it is full."""

from __future__ import annotations

from typing import NamedTuple


class Point(NamedTuple):
    """A measurement of a series.

    Attributes:
        number: its place in the series, before anything was dropped.
        row: the number of the record that it came with.
        step: the step of training that it belongs to.
        value: what was measured.
    """

    number: int
    row: int
    step: int
    value: float


class Series:
    """At most ``capacity`` points: the first, the last, and between them one in every ``stride``.

    When a new point finds the series full, the stride doubles and every second point goes. That costs
    O(capacity) once in ``capacity``/2 or more appends at regular points, so an append is O(1) amortised.

    Args:
        capacity: the most points to hold, at least 2.
        first_row: the row of the first point. Points are numbered from it, so that series which began at
            different rows and have a value in each row keep the same rows.
    """

    def __init__(self, capacity: int, first_row: int) -> None:
        self.capacity = capacity
        self.next_number = first_row
        self.stride = 1
        self.points: list[Point] = []

    def append(self, row: int, step: int, value: float) -> None:
        """Add a point, in place of the last one if that was only kept for being the last."""
        points = self.points
        if len(points) > 1 and points[-1].number % self.stride:
            points.pop()
        points.append(Point(self.next_number, row, step, value))
        self.next_number += 1
        while len(points) > self.capacity:
            self.stride *= 2
            last = len(points) - 1
            points[:] = [
                point for i, point in enumerate(points) if i in (0, last) or point.number % self.stride == 0
            ]
