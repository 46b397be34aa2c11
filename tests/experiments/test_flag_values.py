"""Empty values, remote paths and outputs that cannot be written are one line in every command, before any work."""

from __future__ import annotations

import pytest

OUTPUTS = {
    "extract": ("--out=",),
    "prepare": ("--out=", "--source=procedural", "--category=car", "--count=1"),
    "train": ("--run=", "--category=box"),
    "export": ("--out=", "--data=nowhere"),
}


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "expected a value, found none"),
        ("gs://bucket/folder", "expected a local path"),
        ("{file}", "is a file, expected a folder to write to"),
    ],
)
def test_an_unusable_output_path_is_one_line(name, value, message, program, tmp_path):
    (tmp_path / "file").touch()
    output, *flags = OUTPUTS[name]
    refused = program(name, *flags, output + value.format(file=tmp_path / "file"))
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: ") and refused.stderr.count("\n") == 1 and message in refused.stderr
