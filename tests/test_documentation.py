"""The Python code of the documentation runs as it stands, in a folder with the images that it names."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from imfield_jax.inference.model import SHIPPED

ROOT = Path(__file__).resolve().parents[1]
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
IMAGES = ("my_car.png", "first.png", "second.png")
EXAMPLES = [
    pytest.param(code, id=f"{page.name}-{number}")
    for page in (ROOT / "README.md", ROOT / "docs" / "api.md")
    for number, code in enumerate(CODE.findall(page.read_text()))
]


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_runs(code, tmp_path, monkeypatch):
    for name in IMAGES:
        shutil.copy(SHIPPED / "car.png", tmp_path / name)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "example", "exec"), {"__name__": "example"})


def test_all_pages_with_examples_of_the_public_names_are_read():
    assert len(EXAMPLES) >= 4
