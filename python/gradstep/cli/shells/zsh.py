"""Completion in zsh."""

from collections.abc import Iterator

from gradstep.cli.shells.words import Level, Option, Program, Values

HEAD = """\
#compdef gradstep
# Completion of `gradstep` in zsh. For this shell:   eval "$(gradstep completion zsh)"
# For all to come, put that line into ~/.zshrc, after compinit, or this as _gradstep into a folder of $fpath.

_gradstep_commands() {
  local -a commands
  commands=(
"""
MIDDLE = """\
  )
  _describe -t commands command commands
}

_gradstep() {
  local curcontext=$curcontext state line expl ret=1
  local -A opt_args
  _arguments -C \\
"""
ARGUMENTS = """\
    '1:command:_gradstep_commands' \\
    '*::argument:->arguments' && ret=0
  if [[ $state == arguments ]]; then
    # The last option, whose values may be several.
    local -a options=(${(M)words[1,CURRENT-1]:#-*})
    if [[ $PREFIX == -* ]]; then
      # Of such values `_arguments` would see no end.
      [[ $line[1] == (SEVERAL) ]] && words=($words[1] $words[CURRENT]) CURRENT=2
      options=()
    fi
    case $line[1]$options[-1] in
"""
TAIL = """\
    esac
  fi
  return ret
}

if [[ $funcstack[1] == _gradstep ]]; then
  _gradstep "$@"
else
  compdef _gradstep gradstep
fi
"""


def script(program: Program) -> str:
    """Write what zsh has to run."""
    parts = [HEAD]
    parts += [f"    {quoted(one.name + ':' + escaped(one.help, ':'))}\n" for one in program.commands]
    parts.append(MIDDLE)
    parts += [f"    {spec} \\\n" for spec in of_options(program.top)]
    parts.append(
        ARGUMENTS.replace("SEVERAL", "|".join(one.name for one in program.commands if takes_several(one)))
    )
    for command in program.commands:
        parts += of_many(command)
        specs = [*of_options(command), *of_arguments(command)]
        lines = " \\\n".join(f"          {spec}" for spec in specs)
        parts.append(
            f"      {command.name}|{command.name}-*)\n        _arguments \\\n{lines} && ret=0\n        ;;\n"
        )
    return "".join([*parts, TAIL])


def takes_several(level: Level) -> bool:
    """Tell whether a command has an option with several values."""
    return any(option.values is not None and option.values.many for option in level.options)


def of_options(level: Level) -> Iterator[str]:
    """Describe the options as `_arguments` wants them; a name excludes the others of its option."""
    for option in level.options:
        others = f"({' '.join(option.names)})"
        for name in option.names:
            yield quoted(f"{others}{name}{described(name, option)}")


def described(name: str, option: Option) -> str:
    """Write what follows the name of an option."""
    told = f"[{escaped(option.help, '[]')}]"
    if option.values is None:
        return told
    attached = "=" if name.startswith("--") else ""
    optional = ":" if option.values.least == 0 else ""
    return f"{attached}{told}:{optional}{option.values.title}:{action(option.values)}"


def of_many(level: Level) -> Iterator[str]:
    """Complete values of options that take several, of which `_arguments` knows one."""
    for option in level.options:
        if option.values and option.values.many:
            patterns = "|".join(f"{level.name}{name}" for name in option.names)
            words = " ".join(option.values.words)
            what = f"_wanted values expl {option.values.title} compadd -- {words} && ret=0"
            yield f"      {patterns})\n        {what}\n        ;;\n"


def of_arguments(level: Level) -> Iterator[str]:
    """Describe the arguments."""
    for i, values in enumerate(level.arguments, start=1):
        place = "*" if values.many else str(i) + ":" * (values.least == 0)
        yield quoted(f"{place}:{values.title}:{action(values)}")


def action(values: Values) -> str:
    """Say where values come from."""
    if values.words:
        return f"({' '.join(values.words)})"
    return "_files" if values.files else " "


def escaped(text: str, signs: str) -> str:
    """Put a backslash before signs that mean something."""
    return "".join("\\" * (c in signs) + c for c in text)


def quoted(text: str) -> str:
    """Put a text into quotes."""
    return "'" + text.replace("'", "'\\''") + "'"
