"""Whatever happens to a file: the old state is there, or the new one, or an error says why."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from faults import damage, disks, kills

forms = pytest.mark.parametrize("suffix", [".npz", ".safetensors"])


@pytest.fixture(autouse=True)
def _seeded() -> None:
    random.seed(0)


@pytest.mark.skipif(os.name != "posix", reason="what is killed on Windows has its files open")
@forms
def test_killed_while_saving(suffix: str, tmp_path: Path) -> None:
    counts = kills.kill(tmp_path, 3, suffix)
    assert counts["kills"] == 3


@forms
def test_disks_that_fail_at_each_operation(suffix: str, tmp_path: Path) -> None:
    counts = disks.fail_everywhere(tmp_path, suffix)
    assert counts["old"] > 50
    assert counts["old"] + counts["new"] == counts["faults"]


@pytest.mark.skipif(os.name != "posix", reason="limits the size of a file")
@forms
def test_files_that_may_not_grow(suffix: str, tmp_path: Path) -> None:
    assert disks.limit_size(tmp_path, 10, suffix)["old"] == 10


def test_a_file_system_that_is_full(tmp_path: Path) -> None:
    counts = disks.fill_up(tmp_path)
    if counts is None:
        pytest.skip("nothing may be mounted here")
    assert counts["faults"] > 5
    assert counts["new"] > 0


@forms
def test_flips_and_truncations(suffix: str, tmp_path: Path) -> None:
    counts = damage.damage(tmp_path, 100, suffix)
    assert counts["refused"] > 150
