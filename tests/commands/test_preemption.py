"""SIGTERM to a process that works: it is told at once, and ends in time whatever it does."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

WORK = """
import signal, sys, time
from absl import logging
from imfield_jax.commands.preemption import Preemption
logging.set_verbosity(logging.INFO)
before = signal.getsignal(signal.SIGTERM)
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests run in the background of a shell
with Preemption(float(sys.argv[1])) as preemption:
    print("ready", flush=True)
    while not preemption.requested():
        time.sleep(0.01)
    {after}
assert signal.getsignal(signal.SIGTERM) == before
print("saved", flush=True)
"""


def ended(seconds, after, number):
    """Exit status, output, log, and seconds from the signal to the end."""
    command = [sys.executable, "-c", WORK.format(after=after), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        started = time.monotonic()
        process.send_signal(number)
        try:
            out, log = process.communicate(timeout=60)
        finally:
            process.kill()
        return process.returncode, out, log, time.monotonic() - started


def test_work_that_looks_saves_and_goes_on_to_its_end():
    status, out, log, _ = ended(30, "pass", signal.SIGTERM)
    assert (status, out) == (0, "saved\n") and "SIGTERM: saving a checkpoint" in log


def test_work_that_cannot_look_ends_in_time_without_an_error():
    """In one call into compiled code, where Python runs no handler, as while XLA compiles."""
    stuck = "__import__('hashlib').pbkdf2_hmac('sha256', b'', b'', 10**9)"
    status, out, log, seconds = ended(0.5, stuck, signal.SIGTERM)
    assert (status, out) == (0, "") and "stopped without another checkpoint: rerun the same command" in log
    assert 0.4 < seconds < 20


def test_another_signal_is_none_of_its_business():
    """SIGINT interrupts as ever, and the handler of SIGTERM is taken back."""
    status, out, log, _ = ended(30, "pass", signal.SIGINT)
    assert status != 0 and out == "" and "KeyboardInterrupt" in log and "SIGTERM" not in log
