"""The command line on terminals: narrow ones, without colours, and where Ctrl-C is pressed."""

from __future__ import annotations

import io
import json
import os
import re
import select
import shlex
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

import gradstep as gs
from gradstep.cli import COMMANDS, main
from gradstep.cli.command import Command
from gradstep.cli.output import complain
from gradstep.cli.parsers import parser_of
from gradstep.cli.terminals import columns, shows_colour, table_width, text_width
from gradstep.demo.rates import Found

WIDTHS = (40, 80)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("command", ["", *(command.name for command in COMMANDS)])
def test_help_keeps_to_the_width(
    command: str, width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    output = capsys.readouterr().out
    # A single word may be longer: the path of a file that a shell reads.
    lines = [line for line in output.splitlines() if " " in line.strip()]
    assert max(map(len, lines)) <= width
    assert "\nexamples:\n" in output
    assert f"gradstep {command}".strip() in output.partition("examples:")[2]
    assert ("\nexit status:\n" in output) == bool(command)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_examples_are_understood(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    gs.save("run.npz", gs.Adam(np.ones(3)))
    Path("run.1.npz").write_bytes(Path("run.npz").read_bytes())
    history = gs.History(log="first.jsonl")
    history.record(loss=1.0)
    history.to_csv("second.csv")
    assert command.examples
    for example in command.examples:
        words = shlex.split(
            re.sub(r'^eval "\$\((.*)\)"$', r"\1", example.line).partition(" > ")[0].partition(" |")[0]
        )
        assert words[:2] == ["gradstep", command.name]
        assert parser_of(COMMANDS).parse_args(words[1:]).run == command.run


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "arguments",
    [
        "demo --epochs 1",
        "plot Cosine(0.1,1000)",
        "bench --quick --rounds 1 --rules adam --workloads tensor policy",
    ],
)
def test_output_keeps_to_the_width(
    arguments: str, width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(arguments.split()) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= width


def test_a_pipe_has_any_width(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert table_width() is None
    main(["demo", "--epochs", "1"])
    assert "rule               NumPy, µs  gradstep, µs" in capsys.readouterr().out


@pytest.mark.parametrize(("variable", "expected"), [("3", 20), ("60", 60), ("300", 300), ("x", 80)])
def test_widths(variable: str, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", variable)
    assert (columns(), text_width()) == (expected, min(100, expected))


@pytest.mark.parametrize(
    ("terminal", "variables", "expected"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_colours(
    terminal: bool, variables: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    stream = Terminal() if terminal else io.StringIO()
    assert shows_colour(stream) is expected
    monkeypatch.setattr(sys, "stderr", stream)
    complain("gradstep demo: it failed: so it did")
    plain, coloured = (
        "gradstep demo: it failed: so it did\n",
        "\x1b[1;31mgradstep demo:\x1b[0m it failed: so it did\n",
    )
    assert stream.getvalue() == (coloured if expected else plain)


def test_a_near_miss_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, near in ((["infoo"], "info"), (["bench", "--rules", "adm"], "adam")):
        with pytest.raises(SystemExit):
            main(arguments)
        assert capsys.readouterr().err.endswith(f"; did you mean {near!r}?\n")
    with pytest.raises(SystemExit):
        main(["dance"])
    assert "did you mean" not in capsys.readouterr().err


def test_wrong_usage_tells_where_help_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["demo", "--epochs", "0"])
    usage, more, error = capsys.readouterr().err.splitlines()
    assert usage == "usage: gradstep demo [options]"
    assert more == "       gradstep demo --help"
    assert error.startswith("gradstep demo: error: argument --epochs: ")


@pytest.mark.parametrize("how", [["--json"], ["--json", "-"], ["--json", "FILE"]])
def test_demo_as_json(how: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.json"
    assert main(["demo", "--epochs", "1", *(str(path) if word == "FILE" else word for word in how)]) == 0
    output = capsys.readouterr().out
    text = path.read_text() if path.exists() else output
    assert path.exists() == ("AdamW  " in output)
    assert [row["rule"] for row in json.loads(text)["rules"]][-1] == "AdamW"


def test_info_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:-1]
    for arguments in (["--json"], ["--json", str(tmp_path / "x.json")]):
        assert main(["info", *arguments]) == 0
        output = capsys.readouterr().out
        facts = json.loads(output or (tmp_path / "x.json").read_text())
        assert [line.split("  ")[0] for line in lines] == list(facts)
        assert [re.split("  +", line, maxsplit=1)[1] for line in lines] == list(facts.values())


def test_bench_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--rules", "sgd", "--workloads", "tensor", "--rounds", "1", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["steps"]
    assert (row["rule"], row["workload"]) == ("sgd", "tensor")


def test_rates_as_json_and_as_a_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def compare(rule: str, **_: object) -> Found:
        return Found(rule, 0.1, np.nan if rule == "Adam" else 0.9, 0.2, 0.95)

    monkeypatch.setattr("gradstep.cli.rates.compare", compare)
    assert main(["rates", "--json"]) == 1
    output = capsys.readouterr()
    rows = json.loads(output.out)["rules"]
    assert [row["rule"] for row in rows] == ["SGD", "SGD, momentum 0.9", "RMSprop", "Adam"]
    assert (rows[0]["behind"], rows[3]["reached"]) == (pytest.approx(0.05), None)
    assert output.err.count("points behind") == 4
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["rates"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[lines.index("Adam") + 1] == "  found       0.1"
    assert max(map(len, lines)) <= 40


def test_a_full_disk_for_json(capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, a disk that is full")
    assert main(["info", "--json", "/dev/full"]) == 1
    assert "gradstep info: cannot write the results: " in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="a terminal of Unix")
@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_ctrl_c_leaves_a_clean_line(term: str) -> None:
    status, shown = interrupted(term)
    assert status == 130
    assert "^C" in shown, "the terminal shows what was pressed"
    if term == "xterm":
        assert "%  SGD (" in shown, "there was a progress bar"
    else:
        assert "\x1b" not in shown
    visible = [on_screen(line) for line in shown.replace("\r\n", "\n").split("\n")]
    assert visible == ["gradstep: interrupted", ""]


def interrupted(term: str) -> tuple[int, str]:
    """Press Ctrl-C when a demo has drawn its bar, or has had the time to; give what the terminal received."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.environ.update(TERM=term, COLUMNS="60", NO_COLOR="1")
        code = (
            "import sys, time\n"
            "from gradstep.cli import main\n"
            "from gradstep.cli.demo import timing\n"
            "def compare(*_, **__):\n"
            "    print(end='', flush=True)\n"
            "    sys.stderr.write('\\x07')\n"
            "    time.sleep(60)\n"
            "timing.compare = compare\n"
            "sys.exit(main(['demo', '--epochs', '3']))\n"
        )
        os.execv(sys.executable, [sys.executable, "-c", code])
    shown = b""
    pressed = False
    while select.select([terminal], [], [], 60)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other end has gone
            break
        if not part:
            break
        shown += part
        if b"\x07" in shown and not pressed:
            pressed = True
            os.write(terminal, b"\x03")
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode().replace("\x07", "")


def on_screen(line: str) -> str:
    """Give what is seen of a line: \\r goes back, and \\x1b[K wipes the rest."""
    seen: list[str] = []
    at = 0
    for piece in re.findall(r"\r|\x1b\[K|.", line):
        if piece == "\r":
            at = 0
        elif piece == "\x1b[K":
            del seen[at:]
        else:
            seen[at : at + 1] = piece
            at += 1
    return "".join(seen)
