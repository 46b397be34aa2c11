"""How commands start and end, as a shell sees it: one line, an exit status, no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imfield_jax.commands import cli, entry

ROOT = Path(__file__).resolve().parents[2]
COMMAND = f"{sys.executable} -m experiments.convert"
# A command that works until a signal comes, and says whether its files were closed.
WORKING = """
import sys, time, types
from imfield_jax.commands import entry
def main():
    try:
        print("working", flush=True)
        while True:
            time.sleep(0.01)
    finally:
        print("closed", flush=True)
command = types.ModuleType("working")
command.main = main
entry.run(command)
"""
# One that the signal meets while a module is imported, which swallows exceptions.
IMPORTING = """
import sys, time, types
from imfield_jax.commands import entry
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "imfield_jax.commands.slow":
            print("working", flush=True)
            while True:
                try:
                    time.sleep(0.01)
                except BaseException:
                    pass
sys.meta_path.insert(0, Finder())
entry.run("slow")
"""
LAZY = IMPORTING.replace(
    'entry.run("slow")',
    """
command = types.ModuleType("lazy")
command.main = lambda: __import__("imfield_jax.commands.slow")
entry.run(command)
""",
)

COLLECTING = """
import gc
import sys
import time
import types

from imfield_jax.commands import entry


def busy(phase, info):
    if phase == "start":
        print("working", flush=True)
        time.sleep(5)


def main():
    gc.disable()
    gc.callbacks.append(busy)
    gc.collect()
    gc.callbacks.clear()
    try:
        time.sleep(60)
    finally:
        print("closed")


command = types.ModuleType("collecting")
command.main = main
entry.run(command)
"""


def heeds_interrupts():
    """Tests that run in a shell's background inherit that SIGINT is ignored; a user's terminal has it on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def shell(line, **environment):
    return subprocess.run(
        line, shell=True, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **environment}, timeout=120
    )


@pytest.mark.parametrize(
    ("program", "output"),
    [
        (WORKING, "working\nclosed\n"),
        (IMPORTING, "working\n"),
        (LAZY, "working\n"),
        (COLLECTING, "working\nclosed\n"),
    ],
)
def test_an_interrupt_is_one_line_and_status_130(program, output):
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heeds_interrupts,
    )
    first = process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    rest, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert first + rest == output
    assert error == "interrupted\n"


WITHOUT_DATA = """
import sys
for name in ("tensorflow_datasets", "tensorflow", "array_record", "numba", "h5py", "igl", "embreex", "manifold3d",
             "DracoPy", "collada", "tensorboard"):
    sys.modules[name] = None
from imfield_jax.commands import cli
cli.main()
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("prepare", "--out={}"),
        ("train", "--run={}"),
        ("evaluate", "--out={}"),
        ("extract", "--split=test", "--out={}"),
        ("export", "--data=nowhere", "--out={}"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_package_that_is_not_installed_is_one_line(arguments, tmp_path):
    flags = [argument.format(tmp_path) for argument in arguments]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DATA, *flags], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("is not installed: pip install -c requirements.txt -e '.[data]'")
    assert "Traceback" not in done.stderr


def test_missing_flags_are_named_in_one_line():
    done = shell(f"{sys.executable} -m experiments.publish --run=a")
    assert done.returncode == 1
    missing = "--scores, --command, --time, --limits"
    assert done.stderr == f"error: {missing}: expected a value, found none (--help lists the flags)\n"


def test_resuming_commands_say_so():
    assert set(cli.COMMANDS) >= entry.RESUMING


@pytest.mark.parametrize("platform", ["gpu", "CPU", "typo"])
def test_a_platform_that_is_not_there_is_one_line(platform):
    done = shell(f"{COMMAND} --run=nowhere", JAX_PLATFORMS=platform)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: JAX_PLATFORMS={platform}: JAX cannot use it on this machine, only ")
    assert "cpu" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing(closed):
    assert shell(f"{COMMAND} --run=nowhere {closed}").returncode == 1
    assert shell(f"{COMMAND} --help {closed}").returncode == 0


def test_help_into_a_reader_that_leaves_is_quiet():
    done = shell(f"{COMMAND} --help | head -n 1")
    assert done.stdout.count("\n") == 1 and done.stderr == ""


def test_too_little_memory_is_one_line():
    done = shell(f"ulimit -v 800000; {COMMAND} --run=nowhere")
    assert done.returncode == 1
    needed = "expected at least 2048 MiB of address space, found a limit of 781 (ulimit -v)"
    assert done.stderr == f"error: out of memory: {needed}\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ("MemoryError()", "error: out of memory"),
        ("RuntimeError('RESOURCE_EXHAUSTED: no 5 GB\\nthere')", "error: out of memory: RESOURCE_EXHAUSTED: no 5 GB"),
        ("OSError(28, 'No space left on device', 'some/file')", "error: some/file: No space left on device"),
        ("ValueError('two\\n  lines')", "error: two lines"),
    ],
)
def test_an_error_is_one_line(error, line):
    program = f"""
import types
from imfield_jax.commands import entry
def main():
    raise {error}
command = types.ModuleType("failing")
command.main = main
entry.run(command)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"{line}\n")


def test_a_fault_of_ours_keeps_its_traceback():
    program = WORKING.replace('print("working", flush=True)', "raise KeyError('ours')")
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" in done.stderr and "KeyError: 'ours'" in done.stderr
