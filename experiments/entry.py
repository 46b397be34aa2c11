"""How every entry point starts: flags, log lines, and one line instead of a traceback.

Bad input reaches the user as the message of a ValueError or OSError and exit status 1. Anything
else is a fault of ours and keeps its traceback; `--verbosity=1` shows it for bad input too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from absl import app, flags, logging

_HELP = {"-h", "-help", "--help", "-helpshort", "--helpshort", "-helpfull", "--helpfull"}


def run(main: Callable[[], object]) -> None:
    """Parse the command line and call `main()`; `python -m experiments.X` ends here."""
    flags.FLAGS.set_default("verbosity", logging.INFO)
    logging.get_absl_handler().addFilter(_is_ours)
    try:
        app.run(lambda argv: _guarded(main, argv))
    except SystemExit as end:
        if end.code == 1 and _HELP & set(sys.argv):  # absl's --help ends with 1
            end.code = 0
        raise


def _is_ours(record) -> bool:
    """Leaves out what libraries log at INFO level: Orbax a page per checkpoint, JAX which devices there are not."""
    return Path(record.pathname).parent == Path(__file__).parent or record.levelno >= logging.converter.STANDARD_WARNING


def _guarded(main: Callable[[], object], argv: list[str]) -> None:
    try:
        if len(argv) > 1:
            raise ValueError(f"unexpected argument {argv[1]!r}: every option is a --flag, see --help")
        main()
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
