"""Completion in bash, 3.2 and newer."""

from collections.abc import Iterator

from gradstep.cli.shells.words import Level, Program, Values

HEAD = """\
# Completion of `gradstep` in bash. For this shell:   eval "$(gradstep completion bash)"
# For all to come, put that line into ~/.bashrc.

_gradstep_words() {
    local word
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <(compgen -W "$1" -- "$current")
}

_gradstep_files() {
    local word
    compopt -o filenames 2> /dev/null
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <(compgen -f -- "$current")
}

_gradstep() {
    local current=${COMP_WORDS[COMP_CWORD]} command= option= word i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
            -*) option=$word ;;
            =) ;;
            *)
                if [[ -z $command ]]; then
                    command=$word
                elif [[ " $_gradstep_takes_one " == *" $command$option "* ]]; then
                    option=
                fi
                ;;
        esac
    done
    # In --json=x the sign is a word of its own.
    [[ $current == = ]] && current=
"""
TAIL = """\
}

complete -F _gradstep gradstep
"""


def script(program: Program) -> str:
    """Write what bash has to run."""
    taking_one = [
        f"{command.name}{name}"
        for command in program.commands
        for option in command.options
        for name in option.names
        if option.values and not option.values.many
    ]
    commands = " ".join(command.name for command in program.commands)
    lines = [HEAD.replace("_gradstep() {", f'_gradstep_takes_one="{" ".join(taking_one)}"\n\n_gradstep() {{')]
    lines += [
        "    case $command in",
        '        "")',
        f'            _gradstep_words "{commands} {names(program.top)}"',
    ]
    lines.append("            ;;")
    for command in program.commands:
        lines += [f"        {command.name})", *(f"            {line}" for line in of_command(command))]
        lines.append("            ;;")
    return "\n".join([*lines, "    esac", TAIL])


def of_command(command: Level) -> Iterator[str]:
    """Complete by the option before, and else by an option's name or an argument."""
    yield "case $option in"
    for option in command.options:
        if option.values:
            yield f"    {'|'.join(option.names)})"
            yield f"        {of_values(option.values)}"
            # Where a value may be left out, another option may follow.
            yield "        [[ $current != -* ]] && return"
            yield "        ;;"
    yield "esac"
    yield "if [[ $current == -* ]]; then"
    yield f'    _gradstep_words "{names(command)}"'
    yield "else"
    yield f"    {of_values(command.arguments[0]) if command.arguments else ':'}"
    yield "fi"


def of_values(values: Values) -> str:
    """Complete a value."""
    if values.words:
        return f'_gradstep_words "{" ".join(values.words)}"'
    return "_gradstep_files" if values.files else ":"


def names(level: Level) -> str:
    """List the names of all options."""
    return " ".join(name for option in level.options for name in option.names)
