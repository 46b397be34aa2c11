"""What is installed, not in place but as a copy, has all files of the package, and so has the server's image."""

from __future__ import annotations

import configparser
import fnmatch
import re
from pathlib import Path

import imfield_jax

PACKAGE = Path(imfield_jax.__file__).parent
ROOT = PACKAGE.parent


def data_patterns() -> list[str]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    values = config["options.package_data"].values()
    return [pattern.strip() for value in values for pattern in re.split(r"[,\n]", value) if pattern.strip()]


def test_every_file_of_the_package_is_installed():
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    left_out = [
        str(path.relative_to(ROOT))
        for path in files
        if path.suffix != ".py" and not any(fnmatch.fnmatch(path.name, pattern) for pattern in data_patterns())
    ]
    assert not left_out


def test_the_docker_image_copies_what_exists_and_all_that_the_installation_reads():
    lines = re.findall(r"^COPY (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    copied = {name for line in lines for name in line.split()[:-1]}
    assert all((ROOT / name).exists() for name in copied)
    read = {"setup.cfg", "pyproject.toml", "requirements.txt", "README.md", "LICENSE", "imfield_jax"}
    assert copied == read
