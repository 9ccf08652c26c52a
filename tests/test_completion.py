"""`gradstep completion`: the scripts, run by the shells themselves, at real presses of the tab key."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from gradstep.bench.rules import RULES
from gradstep.cli import COMMANDS, main
from gradstep.cli.shells import SCRIPTS

pytestmark = pytest.mark.skipif(os.name != "posix", reason="shells of Unix")

TAB, TELL, CLEAR = "\t", "\x14", "\x15"
NAMES = " ".join(command.name for command in COMMANDS)

# What is typed before the tab, and what the line is then.
TYPED = [
    ("gradstep insp", "gradstep inspect "),
    ("gradstep --ver", "gradstep --version "),
    ("gradstep demo --ep", "gradstep demo --epochs "),
    ("gradstep completion f", "gradstep completion fish "),
    ("gradstep bench --rules mom", "gradstep bench --rules momentum "),
    ("gradstep bench --rules sgd mom", "gradstep bench --rules sgd momentum "),
    ("gradstep bench --rules sgd --workloads po", "gradstep bench --rules sgd --workloads policy "),
    ("gradstep bench --rules sgd adam --qu", "gradstep bench --rules sgd adam --quick "),
    ("gradstep bench --rounds 3 --qu", "gradstep bench --rounds 3 --quick "),
    ("gradstep inspect a\\ ru", "gradstep inspect a\\ run.npz "),
    ("gradstep inspect a\\ run.npz oth", "gradstep inspect a\\ run.npz other.npz "),
    ("gradstep inspect --json oth", "gradstep inspect --json other.npz "),
    ("gradstep demo --json cur", "gradstep demo --json curves.json "),
    ("gradstep demo --json=cur", "gradstep demo --json=curves.json "),
    ("gradstep demo --json --se", "gradstep demo --json --seed "),
    ("gradstep plot cur", "gradstep plot curves.json "),
    ("gradstep plot curves.json --st", "gradstep plot curves.json --steps "),
    ("gradstep plot -o cur", "gradstep plot -o curves.json "),
    ("gradstep plot --steps cur", "gradstep plot --steps cur"),
    ("gradstep info cur", "gradstep info cur"),
]

START = {
    "bash": [
        "HISTFILE= PS1='$ '",
        "tell() { printf '%s\\n' \"$READLINE_LINE\" >> told; }",
        "bind -x '\"\\C-t\": tell'",
        "source script",
    ],
    "zsh": [
        "PS1='$ '",
        "autoload -Uz compinit && compinit -D -u",
        'tell() { print -r -- "$BUFFER" >> told }',
        "zle -N tell && bindkey '^T' tell",
        "source script",
    ],
}
COMMAND = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    for name in ("a run.npz", "other.npz", "curves.json"):
        (tmp_path / name).touch()
    for shell in SCRIPTS:
        assert main(["completion", shell]) == 0
        (tmp_path / f"script.{shell}").write_text(capsys.readouterr().out)
    return tmp_path


def needs(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    version = subprocess.run([shell, "--version"], capture_output=True, text=True, check=True).stdout
    if shell == "bash" and "version 3." in version:
        pytest.skip("bash cannot tell what is on the line before version 4")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_tab_key(shell: str, folder: Path) -> None:
    needs(shell)
    lines = typed(shell, [text + TAB for text, _ in TYPED], folder)
    if shell == "zsh":  # which takes the sign back if a space is typed
        lines = [re.sub(r"^(\S+ (?!bench).*--(?:epochs|seed|steps))=$", r"\1 ", line) for line in lines]
    assert dict(zip([text for text, _ in TYPED], lines, strict=True)) == dict(TYPED)


def typed(shell: str, texts: list[str], folder: Path) -> list[str]:
    """Type into a shell of its own; give what stands on the line after each."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ.update(TERM="xterm", COLUMNS="200")
        os.execvp(COMMAND[shell][0], COMMAND[shell])
    told = folder / "told"
    told.touch()
    try:
        for line in START[shell]:
            send(terminal, line.replace("script", f"./script.{shell}") + "\n")
        for i, text in enumerate(["", *texts]):
            send(terminal, text)
            send(terminal, TELL)
            wait_for_lines(told, i + 1, terminal)
            send(terminal, CLEAR)
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    return told.read_text().splitlines()[1:]


def send(terminal: int, text: str) -> None:
    drain(terminal)
    os.write(terminal, text.encode())


def drain(terminal: int) -> None:
    """Read what the shell shows, or it would wait."""
    while select.select([terminal], [], [], 0.02)[0]:
        os.read(terminal, 65536)


def wait_for_lines(path: Path, count: int, terminal: int) -> None:
    end = time.monotonic() + 20
    while len(path.read_text().splitlines()) < count:
        drain(terminal)
        assert time.monotonic() < end, "the shell does not answer"


# fish looks behind = only where a value is a must.
@pytest.mark.parametrize(("text", "line"), [pair for pair in TYPED if "=" not in pair[0]])
def test_fish(text: str, line: str, folder: Path) -> None:
    needs("fish")
    found = offered_by_fish(text, folder)
    last = re.split(r"(?<!\\) ", line.rstrip(" "))[-1]
    # What nothing is known about stays as it is: fish offers nothing.
    assert found == ([] if text == line else [last.replace("\\", "")])


def offered_by_fish(text: str, folder: Path) -> list[str]:
    done = subprocess.run(
        ["fish", "--no-config", "-c", "source script.fish; complete -C $argv[1]", "--", text],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "TERM": "xterm"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("gradstep ", NAMES),
        ("gradstep bench --rules ", " ".join(RULES)),
        ("gradstep completion ", "bash fish zsh"),
    ],
)
def test_all_that_there_is(text: str, offered: str, folder: Path) -> None:
    needs("fish")
    assert sorted(offered_by_fish(text, folder)) == sorted(offered.split())
    needs("bash")
    words = text.split(" ")
    code = (
        f"source script.bash; COMP_WORDS=({' '.join(words)} ''); COMP_CWORD={len(words) - 1}; _gradstep; "
        "printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(["bash", "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert {word for word in done.stdout.split() if not word.startswith("-")} == set(offered.split())


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_scripts_are_sound(shell: str, folder: Path) -> None:
    needs(shell)
    option = "--no-execute" if shell == "fish" else "-n"
    done = subprocess.run([shell, option, f"script.{shell}"], cwd=folder, capture_output=True, check=True)
    assert done.stderr == b""


@pytest.mark.parametrize("shell", SCRIPTS)
def test_every_option_is_in_every_script(
    shell: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = (folder / f"script.{shell}").read_text()
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            main([command.name, "--help"])
        for name in re.findall(r"(?<![\w-])--([a-z]+)", capsys.readouterr().out):
            assert re.search(rf"--{name}\b|-l {name} ", script), f"{command.name} --{name}"


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["completion", "csh"])
    message = "gradstep completion: error: argument SHELL: invalid choice: 'csh' (choose from "
    assert message in capsys.readouterr().err


def test_a_shell_needs_no_python_to_complete(folder: Path) -> None:
    needs("bash")
    code = "source script.bash; COMP_WORDS=(gradstep insp); COMP_CWORD=1; _gradstep; echo $COMPREPLY"
    environment = {"PATH": str(folder)}
    bash = shutil.which("bash") or ""
    done = subprocess.run(
        [bash, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("inspect\n", "")
