"""The extension in a real Blender without a display, against a real server.

Blender comes as a package (bpy, 400 MB), which is installed into .cache with its own tests' needs; where that cannot be
done, these tests are skipped, and the end of the test run says so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from imfield_jax.inference.model import SHIPPED
from imfield_jax.server.background import serving
from imfield_jax.server.config import Config

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "integrations" / "blender"
ENVIRONMENT = ROOT / ".cache" / f"blender-{sys.version_info[0]}.{sys.version_info[1]}"
PYTHON = ENVIRONMENT / "bin" / "python"
NONE = "NO BLENDER: the extension was not tested"


def _run(*command, **options) -> subprocess.CompletedProcess:
    options = {"capture_output": True, "text": True, "timeout": 900, **options}
    return subprocess.run([str(part) for part in command], **options)


@pytest.fixture(scope="module")
def blender():
    """The Python of an environment with Blender."""
    if sys.version_info[:2] not in ((3, 11), (3, 13)):
        pytest.skip(f"{NONE}: there are packages of it for Python 3.11 and 3.13 only")
    requirements = FOLDER / "requirements.txt"
    done = ENVIRONMENT / "requirements.txt"
    if not done.exists() or done.read_text() != requirements.read_text():
        _run(sys.executable, "-m", "venv", "--clear", ENVIRONMENT)
        installed = _run(PYTHON, "-m", "pip", "install", "--quiet", "-r", requirements)
        if installed.returncode:
            pytest.skip(f"{NONE}: pip cannot install it: {(installed.stderr.splitlines() or ['?'])[-1]}")
        done.write_text(requirements.read_text())
    loaded = _run(PYTHON, "-c", "import bpy")
    if loaded.returncode:
        pytest.skip(f"{NONE}: it does not start: {(loaded.stderr.splitlines() or ['?'])[-1]}")
    return PYTHON


def test_the_zip_is_a_valid_extension_and_always_the_same(blender, tmp_path):
    checker = next(ENVIRONMENT.glob("lib/*/site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))
    made = [_run(blender, FOLDER / "build.py", tmp_path / name).stdout.strip() for name in "ab"]
    assert Path(made[0]).read_bytes() == Path(made[1]).read_bytes()
    checked = _run(blender, checker, "validate", made[0])
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_extension_works_in_blender(blender):
    with serving(Config(("any",), token="secret")) as address:
        environment = {
            **os.environ,
            "IMFIELD_ADDRESS": address,
            "IMFIELD_TOKEN": "secret",
            "IMFIELD_ENVIRONMENT": sys.prefix,
            "IMFIELD_PICTURES": str(SHIPPED),
        }
        pytest_options = ("-q", "-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={FOLDER}")
        done = _run(blender, "-m", "pytest", *pytest_options, FOLDER / "tests", env=environment, cwd=FOLDER / "tests")
    assert done.returncode == 0, done.stdout + done.stderr
