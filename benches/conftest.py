"""What every suite shares: the machine settles before each of them."""

import gc
import time

import pytest

from gradstep.bench.rounds import SETTLE_SECONDS


@pytest.fixture(autouse=True)
def settled() -> None:
    """Let go of the last workload's memory, and let the workers of other libraries go to sleep."""
    gc.collect()
    time.sleep(SETTLE_SECONDS)
