"""What --help prints: the command's own documentation, then its flags in groups.

A command module lists its groups in `GROUPS`, title -> flags, in the order in which a newcomer needs them.
"""

from __future__ import annotations

import textwrap
from types import ModuleType

from absl import flags

_WIDTH = 100
_PLACEHOLDERS = {
    "string": "TEXT",
    "multi string": "TEXT",
    "int": "N",
    "float": "X",
    "comma separated list of strings": "A,B,...",
}


def render(command: ModuleType) -> str:
    """The help text of a command module."""
    sections = [(command.__doc__ or "").strip()]
    if hasattr(command, "ARGUMENTS"):
        sections.append(f"Arguments:\n  {command.ARGUMENTS}")
    for title, names in groups(command).items():
        sections.append("\n".join([f"{title}:", *map(_entry, names)]))
    name = command.__name__.rpartition(".")[2]
    sections.append(
        "--flagfile=FILE reads flags from a file, one per line; later ones win.\n"
        f"From a checkout, `python -m experiments.{name}` is the same command."
    )
    return "\n\n".join(sections)


def groups(command: ModuleType) -> dict[str, list[str]]:
    """The names of a command's flags by group; one group if it lists none."""
    if hasattr(command, "GROUPS"):
        return {title: [holder.name for holder in holders] for title, holders in command.GROUPS.items()}
    return {"Flags": [flag.name for flag in key_flags(command)]}


def key_flags(command: ModuleType) -> list[flags.Flag]:
    """The flags that a command defines or adopts."""
    return flags.FLAGS.get_key_flags_for_module(command.__name__)


def _entry(name: str) -> str:
    flag = flags.FLAGS[name]
    shown = f"--[no]{name}" if flag.boolean else f"--{name}={_placeholder(flag)}"
    default = "" if flag.default in (None, "", False, []) else f" Default: {_plain(flag.default)}."
    text = textwrap.fill(f"{_help(flag)}{default}", _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return f"  {shown}\n{text}"


def _help(flag: flags.Flag) -> str:
    """A flag's help without absl's additions: an enum's choices, which the placeholder lists, and how to repeat it."""
    choices = getattr(flag.parser, "enum_values", None)
    text = flag.help.removeprefix(f"<{'|'.join(choices)}>: ") if choices else flag.help
    return text.partition(";\n")[0]


def _placeholder(flag: flags.Flag) -> str:
    choices = getattr(flag.parser, "enum_values", None)
    if choices:
        return "|".join(choices)
    return _PLACEHOLDERS.get(flag.flag_type(), "VALUE")


def _plain(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
