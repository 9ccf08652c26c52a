"""Refusals: an exception of exactly this class with exactly this message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def refuses(error: type[BaseException], message: str) -> Iterator[None]:
    """What is done inside is refused."""
    with pytest.raises(error) as caught:
        yield
    assert str(caught.value) == message
    assert type(caught.value) is error
