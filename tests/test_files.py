"""Files are replaced whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import gradstep as gs
from gradstep.files import check_replaceable, open_unnamed, replacing
from processes import printed, run

posix = pytest.mark.skipif(os.name != "posix", reason="permissions and links as POSIX has them")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(path: Path, content: bytes = b"new") -> None:
    with replacing(path) as file:
        file.write(content)


def test_replaces_at_the_end_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["x"]


def test_a_program_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    descriptor = open_unnamed(tmp_path, 0o600)
    if descriptor is None:
        pytest.skip("there are no files without names here")
    os.close(descriptor)
    (tmp_path / "x").write_bytes(b"old")
    code = f"""
import os, signal
from gradstep.files import replacing
with replacing({str(tmp_path / "x")!r}) as file:
    file.write(b"new")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert run("-c", code).returncode == -9
    assert (tmp_path / "x").read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def fails_in_the_block(_: pytest.MonkeyPatch) -> type[BaseException]:
    return KeyboardInterrupt


def no_space(patch: pytest.MonkeyPatch) -> type[BaseException]:
    """The disk is full when the file is brought there."""

    def fsync(_: int) -> None:
        raise OSError(28, "No space left on device")

    patch.setattr(os, "fsync", fsync)
    return OSError


def not_replaceable(patch: pytest.MonkeyPatch) -> type[BaseException]:
    """Another program holds the file, as on Windows."""

    def replace(source: object, target: object) -> None:
        raise PermissionError(13, "Permission denied", str(source), None, str(target))

    patch.setattr(os, "replace", replace)
    return PermissionError


@pytest.mark.parametrize("there", [True, False], ids=["old", "none"])
@pytest.mark.parametrize("fault", [fails_in_the_block, no_space, not_replaceable])
def test_a_failure_leaves_everything_as_it_was(
    fault: Callable[[pytest.MonkeyPatch], type[BaseException]],
    there: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "x"
    if there:
        path.write_bytes(b"old")
    error = fault(monkeypatch)

    def attempt() -> None:
        with replacing(path) as file:
            file.write(b"new")
            if error is KeyboardInterrupt:
                raise KeyboardInterrupt

    with pytest.raises(error) as caught:
        attempt()
    if error is PermissionError:
        assert str(caught.value) == f"[Errno 13] Permission denied: {str(path)!r}"
    assert names(tmp_path) == (["x"] if there else [])
    assert not there or path.read_bytes() == b"old"


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of a file")
def test_a_history_survives_a_disk_that_fills_up(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    code = f"""
import resource, signal
import gradstep as gs
history = gs.History()
for step in range(1000):
    history.record(loss=1 / (step + 1))
history.to_csv({str(path)!r})
for step in range(1000):
    history.record(loss=1 / (step + 1))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
try:
    history.to_csv({str(path)!r})
except OSError as error:
    print(error.strerror)
"""
    assert printed(code) == "File too large"
    assert path.read_text().count("\n") == 1001
    assert names(tmp_path) == ["run.csv"]


def test_a_history_survives_what_cannot_be_encoded(tmp_path: Path) -> None:
    history = gs.History()
    history.record(loss=1.0)
    history.to_csv(tmp_path / "x.csv")
    unpaired: dict[str, Any] = {"\ud800": 1.0}
    history.record(**unpaired)
    with pytest.raises(UnicodeEncodeError):
        history.to_csv(tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "step,loss\n0,1.0\n"


@posix
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o660, 0o755])
def test_permissions_are_the_old_files(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch()
    path.chmod(mode)
    with replacing(path) as file:
        assert not stat.S_IMODE(os.fstat(file.fileno()).st_mode) & ~mode
    assert stat.S_IMODE(path.stat().st_mode) == mode


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@posix
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_of_a_new_file_are_those_of_any(mask: int, tmp_path: Path) -> None:
    with umask(mask):
        write(tmp_path / "x")
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o666 & ~mask


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_is_the_old_files(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch()
    os.chown(path, 1234, 4321)
    write(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 4321)


@pytest.fixture
def nobodys_folder() -> Iterator[Path]:
    """A folder of somebody who is not root, who may write to everything; the test runs as its owner."""
    is_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as folder:
        if is_root:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        yield Path(folder)
        if is_root:
            os.seteuid(0)


@posix
def test_a_file_that_may_not_be_written_is_not_replaced(nobodys_folder: Path) -> None:
    path = nobodys_folder / "x"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(PermissionError) as caught:
        write(path)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"


@posix
def test_a_folder_that_may_not_be_written_to_is_named_by_the_file(nobodys_folder: Path) -> None:
    path = nobodys_folder / "x"
    path.write_bytes(b"old")
    nobodys_folder.chmod(0o555)
    with pytest.raises(PermissionError) as caught:
        write(path)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"


@posix
def test_a_links_target_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    target.parent.mkdir()
    target.write_bytes(b"old")
    link.symlink_to(Path("folder", "target"))
    write(link)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert (names(tmp_path), names(target.parent)) == (["folder", "link"], ["target"])


@posix
def test_a_link_to_nothing_gets_its_target(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


@posix
@pytest.mark.parametrize("device", ["/dev/null", "/dev/stdout"])
def test_what_is_no_file_is_written_to(device: str) -> None:
    code = f"import gradstep.files\nwith gradstep.files.replacing({device!r}) as file: file.write(b'new')"
    assert printed(code) == ("new" if device == "/dev/stdout" else "")
    assert Path(device).exists()


def missing(folder: Path) -> Path:
    return folder / "no" / "x"


def is_a_directory(folder: Path) -> Path:
    (folder / "x").mkdir()
    return folder / "x"


def links_to_itself(folder: Path) -> Path:
    (folder / "x").symlink_to("x")
    return folder / "x"


@posix
@pytest.mark.parametrize(
    ("make", "error", "reason"),
    [
        (missing, FileNotFoundError, "No such file or directory"),
        (is_a_directory, IsADirectoryError, "Is a directory"),
        (links_to_itself, OSError, "Too many levels of symbolic links"),
        (lambda folder: folder / ("x" * 300), OSError, "File name too long"),
    ],
)
def test_a_place_where_no_file_can_be(
    make: Callable[[Path], Path], error: type[OSError], reason: str, tmp_path: Path
) -> None:
    path = make(tmp_path)
    before = names(tmp_path)
    for attempt in (write, check_replaceable):
        with pytest.raises(error) as caught:
            attempt(path)
        assert str(caught.value) == f"[Errno {caught.value.errno}] {reason}: {str(path)!r}"
    assert names(tmp_path) == before


def test_checking_leaves_no_trace(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    for name in ("old", "new"):
        check_replaceable(tmp_path / name)
    assert (tmp_path / "old").read_bytes() == b"old"
    assert names(tmp_path) == ["old"]
