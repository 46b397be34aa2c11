"""Start and end of every command: arguments, log, and one line in place of a traceback.

Bad input reaches the user as the message of a ValueError or OSError and exit status 1. Any other exception is a bug
and keeps its traceback; `--verbosity=1` shows it for bad input too. Only the standard library is imported here,
so that Ctrl-C is handled before anything slow is loaded.
"""

from __future__ import annotations

import importlib
import os
import re
import resource
import sys
from pathlib import Path
from types import ModuleType

from imfield_jax.commands.interrupts import Interrupts

_HELP = {"-h", "-help", "--help", "-helpshort", "--helpshort", "-helpfull", "--helpfull"}
_ADDRESS_SPACE = 2 << 30  # bytes: 2.2 GB are enough for a mesh at 256^3, 1.8 GB are not
_OF_SERVER = {"fastapi", "starlette", "pydantic", "uvicorn", "prometheus_client", "python_multipart"}
RESUMING = {
    "extract",
    "prepare",
    "train",
    "train_matte",
}  # continue where they stopped when the same command is run again


def run(command: str | ModuleType) -> None:
    """Run a command, by its name in `imfield_jax.commands` or as a module with a `main()`, and exit with its status."""
    _open_standard_streams()
    interrupts = Interrupts("rerun the same command to resume" if command in RESUMING else "")
    status: int | str | None
    try:
        status = _run(command, interrupts)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has closed the pipe, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except SystemExit:
        raise
    except BaseException as error:
        if interrupts.seen or isinstance(error, KeyboardInterrupt):
            interrupts.leave()
        known = isinstance(error, ValueError | OSError) or _out_of_memory(error) or _missing_package(error)
        if _verbose() or not known:
            raise
        status = f"error: {_line(error)}"
    sys.exit(status)


def _run(command: str | ModuleType, interrupts: Interrupts) -> int | None:
    """Parse the command line and call `command.main()`; returns the exit status."""
    _check_memory()
    from imfield_jax.commands import flag_values, help_text

    module = importlib.import_module(f"imfield_jax.commands.{command}") if isinstance(command, str) else command
    if _HELP & set(sys.argv[1:]):
        print(help_text.render(module), flush=True)
        return 0
    arguments = _parsed()
    flag_values.refuse(arguments)
    _check_platform()
    takes_arguments = hasattr(module, "ARGUMENTS")
    if arguments and not takes_arguments:
        raise ValueError(f"unexpected argument {arguments[0]!r}: every option is a --flag, see --help")
    interrupts.raise_from_now_on()
    return module.main(arguments) if takes_arguments else module.main()


def _parsed() -> list[str]:
    """Parse the flags and start the log; returns the arguments that are not flags."""
    from absl import flags, logging

    from imfield_jax.commands import flag_files, log

    flags.FLAGS.set_default("verbosity", logging.INFO)
    try:
        arguments = flags.FLAGS(flag_files.expanded(sys.argv))[1:]
    except flags.Error as error:
        missing = re.findall(r"Flag (--\w+) must have a value other than None", str(error))
        message = f"{', '.join(missing)}: expected a value, found none" if missing else _line(error)
        raise ValueError(f"{message} (--help lists the flags)") from error
    log.start()
    return arguments


def _check_memory() -> None:
    """Raises MemoryError if `ulimit -v` leaves too little: libraries abort while they load, without a message."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < _ADDRESS_SPACE:
        needed, found = _ADDRESS_SPACE >> 20, limit >> 20
        raise MemoryError(f"expected at least {needed} MiB of address space, found a limit of {found} (ulimit -v)")


def _check_platform() -> None:
    """Raises ValueError if JAX_PLATFORMS names a platform that this machine lacks; JAX's own message fills a page."""
    named = os.environ.get("JAX_PLATFORMS")
    if not named or "jax" not in sys.modules:
        return
    import jax

    try:
        jax.devices()
    except RuntimeError as error:
        jax.config.update("jax_platforms", None)
        available = sorted({"cpu", *(device.platform for device in jax.devices())})
        raise ValueError(
            f"JAX_PLATFORMS={named}: JAX cannot use it on this machine, only {', '.join(available)}; unset it to "
            "choose automatically"
        ) from error


def _verbose() -> bool:
    return re.search(r"(^|\s)--?v(erbosity)?[= ]1(\s|$)", " ".join(sys.argv[1:])) is not None


def _out_of_memory(error: BaseException) -> bool:
    """Whether Python or XLA ran out of memory."""
    return isinstance(error, MemoryError) or str(error).startswith("RESOURCE_EXHAUSTED")


def _missing_package(error: BaseException) -> str | None:
    """The name of the package that is not installed, such as one of the extra `data`; None for other errors."""
    package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return package if package not in ("", "imfield_jax", "experiments") else None


def _line(error: BaseException) -> str:
    """The message as one line; system errors without their number."""
    if package := _missing_package(error):
        extra = "serve" if package in _OF_SERVER else "data"
        return f"the package {package} is not installed: pip install -c requirements.txt -e '.[{extra}]'"
    if _out_of_memory(error):
        return f"out of memory: {first}" if (first := str(error).partition("\n")[0]) else "out of memory"
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{Path(os.fsdecode(error.filename))}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def _open_standard_streams() -> None:
    """Open the null device for standard streams that are closed, as by `>&-`: another file would get their number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
