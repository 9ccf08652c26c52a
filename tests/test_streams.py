"""The command line where its output is full, closed or without a reader, and under a strange environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

posix = pytest.mark.skipif(os.name != "posix", reason="redirects by a shell")
full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is full")

GRADSTEP = f"'{sys.executable}' -W error -m gradstep"
MANY = " ".join(f"'Constant({i})'" for i in range(300))
"""Schedules whose charts are more than a buffer holds."""

MORE = ("completion zsh", "info --json", "plot 'Cosine(0.1, 5000)' --json")


def shell(command: str, **variables: str | bytes) -> tuple[int, str, str]:
    """Run a line of shell, `gradstep` being ours; give its status, output and errors."""
    done = subprocess.run(
        ["sh", "-c", command.replace("gradstep", GRADSTEP)],
        env={**os.environb, **{os.fsencode(k): os.fsencode(v) for k, v in variables.items()}},
        capture_output=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def cannot_write(why: str) -> str:
    return f"gradstep: cannot write the output: {why}\n"


NO_SPACE, CLOSED = cannot_write("No space left on device"), cannot_write("Bad file descriptor")


@full
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments", ["info", "--help", "--version", "", "plot --help", f"plot {MANY}", *MORE]
)
def test_standard_output_is_full(arguments: str, unbuffered: str) -> None:
    found = shell(f"gradstep {arguments} > /dev/full", PYTHONUNBUFFERED=unbuffered)
    assert found == (1, "", NO_SPACE)


@posix
@pytest.mark.parametrize(
    "arguments", ["info", "--help", "--version", "plot 'Constant(1)'", f"plot {MANY}", *MORE]
)
def test_standard_output_is_closed(arguments: str) -> None:
    assert shell(f"gradstep {arguments} >&-") == (1, "", CLOSED)


@posix
def test_who_closes_standard_output_and_asks_for_a_file_gets_it(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    assert shell(f"gradstep demo --epochs 1 --json '{path}' >&-") == (1, "", CLOSED)
    assert path.read_text().startswith("{")


@posix
def test_a_command_without_output_needs_no_standard_output(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert shell(f"gradstep plot 'Constant(1)' -o '{tmp_path / 'x.png'}' >&-") == (0, "", "")


@posix
@pytest.mark.parametrize("arguments", ["info", f"plot {MANY}"])
def test_the_reader_has_gone(arguments: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [sys.executable, "-m", "gradstep", *arguments.replace("'", "").split()]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


@posix
@pytest.mark.parametrize("arguments", ["demo --epochs 1 --require 1", "dance", "bench --contenders nobody"])
@pytest.mark.parametrize("redirection", ["2>&-", pytest.param("2>/dev/full", marks=full)])
def test_standard_error_cannot_be_written(arguments: str, redirection: str) -> None:
    expected = 1 if arguments.startswith("demo") else 2
    status, output, _ = shell(f"gradstep {arguments} {redirection}")
    assert status == expected
    assert ("AdamW" in output) == arguments.startswith("demo")
    assert "required" not in output


@posix
def test_both_are_closed() -> None:
    assert shell("gradstep info >&- 2>&-")[0] == 1


REFUSED = {
    "GRADSTEP_SIMD": "must be one of baseline",
    "GRADSTEP_NUM_THREADS": "must be an integer from 1 to 1024, got many",
}


@posix
@pytest.mark.parametrize("variable", REFUSED)
def test_an_environment_variable_that_is_refused(variable: str) -> None:
    status, output, errors = shell("gradstep info", **{variable: "many"})
    assert (status, output) == (2, "")
    assert errors.startswith(f"gradstep: {variable} {REFUSED[variable]}")
    assert errors.count("\n") == 1
    for redirection in ("2>&-", "2>/dev/full"):
        assert shell(f"gradstep info {redirection}", **{variable: "many"}) == (2, "", "")


@posix
def test_the_import_says_it_with_a_traceback_to_everybody_else() -> None:
    code = f"'{sys.executable}' -c 'import gradstep'"
    status, _, errors = shell(code.replace("gradstep", "grad''step"), GRADSTEP_SIMD="many")
    assert status == 1
    assert "Traceback" in errors
    assert "\nValueError: GRADSTEP_SIMD must be one of baseline" in errors


@posix
@pytest.mark.skipif(sys.platform == "darwin", reason="the system wants UTF-8")
def test_an_environment_variable_that_is_not_utf8_is_shown() -> None:
    status, output, errors = shell("gradstep info", GRADSTEP_SIMD=b"avx\xff2")
    assert "Traceback" not in errors
    assert status == 2 or r"avx\xff2 (not UTF-8)" in output
