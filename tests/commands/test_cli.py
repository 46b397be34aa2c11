"""The `imfield` command: the same as the modules of `experiments/`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from imfield_jax.commands import cli

ROOT = Path(__file__).resolve().parents[2]
VERSION = re.search("^version = (.*)$", (ROOT / "setup.cfg").read_text(), re.MULTILINE)
CALL = "import sys; from imfield_jax.commands.cli import main; sys.exit(main())"


def imfield(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", CALL, *arguments], cwd=ROOT, capture_output=True, text=True)


def test_without_a_command_it_lists_them():
    listed = imfield()
    assert listed.returncode == 0 and all(f"imfield {name}" in listed.stdout for name in cli.COMMANDS)


def test_the_version_is_that_of_setup_cfg():
    assert imfield("--version").stdout == f"imfield_jax {VERSION[1]}\n"


def test_an_unknown_command_is_one_line():
    wrong = imfield("extrude")
    assert wrong.returncode == 1 and wrong.stderr.startswith(
        "error: unknown command 'extrude': expected one of extract"
    )
    assert wrong.stderr.count("\n") == 1


def test_it_is_the_module_of_that_name():
    module = [sys.executable, "-m", "experiments.convert", "--run=nowhere"]
    direct = subprocess.run(module, cwd=ROOT, capture_output=True, text=True)
    ours = imfield("convert", "--run=nowhere")
    assert (ours.returncode, ours.stderr) == (direct.returncode, direct.stderr) and ours.returncode == 1


def test_there_is_an_experiment_for_each_command():
    assert {path.stem for path in (ROOT / "experiments").glob("*.py")} == set(cli.COMMANDS)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_names_every_flag_once_and_needs_no_packages_of_data(name):
    program = f"""
import sys
for package in ("tensorflow_datasets", "tensorflow", "array_record", "numba", "h5py", "igl", "embreex",
                "DracoPy", "collada", "tensorboard"):
    sys.modules[package] = None
from imfield_jax.commands import help_text, {name} as command
shown = [flag for group in help_text.groups(command).values() for flag in group]
assert len(shown) == len(set(shown)), shown
missing = {{flag.name for flag in help_text.key_flags(command)}} - set(shown)
assert not missing, missing
assert "imfield {name}" in help_text.render(command)
"""  # in a process of its own: several commands define flags of one name
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
