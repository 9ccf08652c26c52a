"""Completion in fish."""

from collections.abc import Iterator

from gradstep.cli.shells.words import Level, Option, Program, Values

HEAD = """\
# Completion of `gradstep` in fish. For this shell:   gradstep completion fish | source
# For all to come, put that line into config.fish, or this file into ~/.config/fish/completions/gradstep.fish.

# Whether values of this option may follow: of those that take several, and of those that need none.
function __gradstep_values_of
    set -l last (commandline -opc | string match -- '-*')[-1]
    test "$last" = "$argv[1]"
end

complete -c gradstep -f
"""


def script(program: Program) -> str:
    """Write what fish has to run."""
    lines = [HEAD]
    names = " ".join(command.name for command in program.commands)
    outside = f"not __fish_seen_subcommand_from {names}"
    lines += of_options(program.top, outside)
    for command in program.commands:
        lines.append(complete(outside, f"-a {command.name} -d {quoted(command.help)}"))
        inside = f"__fish_seen_subcommand_from {command.name}"
        lines += of_options(command, inside)
        for values in command.arguments[:1]:
            if values.files:
                lines.append(complete(inside, "-F"))
            elif values.words:
                lines.append(complete(inside, f"-a {quoted(' '.join(values.words))}"))
    return "\n".join(lines) + "\n"


def of_options(level: Level, where: str) -> Iterator[str]:
    """Describe the options, with what they take."""
    for option in level.options:
        yield complete(where, f"{flags(option)} -d {quoted(option.help)}{taken(option.values)}")
        if option.values and (option.values.many or not option.values.least):
            words = quoted(" ".join(option.values.words))
            after = f"{where}; and __gradstep_values_of {option.names[-1]}"
            yield complete(after, "-F" if option.values.files else f"-a {words}")


def flags(option: Option) -> str:
    """Write the names of an option."""
    return " ".join(
        f"-l {name.removeprefix('--')}" if name.startswith("--") else f"-s {name.removeprefix('-')}"
        for name in option.names
    )


def taken(values: Values | None) -> str:
    """Write what an option needs: -r for a value, -F for a file, -x for a value that is none."""
    if values is None or not values.least:
        return ""
    if values.words:
        return f" -x -a {quoted(' '.join(values.words))}"
    return " -r -F" if values.files else " -x"


def complete(where: str, what: str) -> str:
    """Write one declaration."""
    return f"complete -c gradstep -n {quoted(where)} {what}"


def quoted(text: str) -> str:
    """Put a text into quotes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
