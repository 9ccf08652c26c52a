"""`keep=n`: the last files stay, and the newest has its name at every moment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs


def numbers(folder: Path) -> dict[str, int]:
    opt = gs.SGD(np.ones(1))
    return {path.name: gs.load(path, opt)["number"] for path in sorted(folder.iterdir())}


def test_the_last_ones_are_kept(tmp_path: Path) -> None:
    opt = gs.SGD(np.ones(1))
    for number in range(5):
        gs.save(tmp_path / "run.npz", opt, keep=3, number=number)
    assert numbers(tmp_path) == {"run.1.npz": 3, "run.2.npz": 2, "run.npz": 4}
    gs.save(tmp_path / "run.npz", opt, number=5)
    assert numbers(tmp_path) == {"run.1.npz": 3, "run.2.npz": 2, "run.npz": 5}


def test_kept_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def no_links(source: Any, target: Any, **options: Any) -> None:
        if options:
            link(source, target, **options)
        else:
            raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    opt = gs.SGD(np.ones(1))
    for number in range(3):
        gs.save(tmp_path / "run.npz", opt, keep=2, number=number)
    assert numbers(tmp_path) == {"run.1.npz": 1, "run.npz": 2}


def test_the_newest_has_its_name_all_the_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, opt = tmp_path / "run.npz", gs.SGD(np.ones(1))
    for number in range(4):
        gs.save(path, opt, keep=4, number=number)
    found = []
    for name in ("replace", "link"):
        function = getattr(os, name)

        def watched(*arguments: Any, function: Any = function, **options: Any) -> None:
            function(*arguments, **options)
            found.append(gs.load(path, gs.SGD(np.ones(1)))["number"])

        monkeypatch.setattr(os, name, watched)
    gs.save(path, opt, keep=4, number=4)
    assert found[-1] == 4
    assert set(found[:-1]) == {3}
    assert len(found) >= 4


def test_a_save_that_failed_at_the_end_takes_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, opt = tmp_path / "run.npz", gs.SGD(np.ones(1))
    for number in range(3):
        gs.save(path, opt, keep=3, number=number)
    replace = os.replace
    for _ in range(3):

        def failing(source: Any, target: Any) -> None:
            if Path(target) == path:
                raise PermissionError(13, "Permission denied")
            replace(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", failing)
            with pytest.raises(PermissionError):
                gs.save(path, opt, keep=3, number=9)
    assert numbers(tmp_path) == {"run.1.npz": 2, "run.2.npz": 1, "run.npz": 2}
    gs.save(path, opt, keep=3, number=3)
    assert numbers(tmp_path) == {"run.1.npz": 2, "run.2.npz": 1, "run.npz": 3}
