"""How every command starts: flags, log lines, and one line instead of a traceback.

Bad input reaches the user as the message of a ValueError or OSError and exit status 1. Anything
else is a fault of ours and keeps its traceback; `--verbosity=1` shows it for bad input too.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

from absl import app, flags, logging

from imfield_jax.commands import help_text, remote_paths

_HELP = {"-h", "-help", "--help", "-helpshort", "--helpshort", "-helpfull", "--helpfull"}


def run(command: ModuleType) -> None:
    """Parse the command line and call `command.main()`; `python -m experiments.X` and `imfield X` end here."""
    if _HELP & set(sys.argv[1:]):
        print(help_text.render(command))
        return
    flags.FLAGS.set_default("verbosity", logging.INFO)
    logging.get_absl_handler().addFilter(_is_ours)
    app.run(lambda argv: _guarded(command, argv))


def _is_ours(record) -> bool:
    """Leaves out what libraries log at INFO level: Orbax a page per checkpoint, JAX which devices there are not."""
    return Path(record.pathname).parent == Path(__file__).parent or record.levelno >= logging.converter.STANDARD_WARNING


def _guarded(command: ModuleType, argv: list[str]) -> None:
    try:
        if len(argv) > 1:
            raise ValueError(f"unexpected argument {argv[1]!r}: every option is a --flag, see --help")
        remote_paths.refuse()
        command.main()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output has gone, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        sys.exit("interrupted; start the same command again to go on")
    except (ValueError, OSError) as error:
        if logging.get_verbosity() > logging.INFO:
            raise
        sys.exit(f"error: {_one_line(error)}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
