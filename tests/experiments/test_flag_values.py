"""Flag values and combinations that cannot be meant are one line in every command, before any work."""

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


@pytest.mark.parametrize(
    ("name", "flags", "message"),
    [
        ("extract", ["--data=data/car"], "--data: it has no effect without --split"),
        ("extract", ["--count=3"], "--count: it has no effect without --split"),
        ("convert", ["--from_pytorch=a.pth", "--run=b", "--weights=c.npz"], "--weights: it has no effect with"),
        ("evaluate", ["--views=2", "--view=1"], "--view: it has no effect with --views"),
        ("export", ["--data=a", "--out=b", "--layout=occupancy_networks", "--name=c"], "--name: it has no effect with"),
        (
            "prepare",
            ["--source=procedural", "--source_dir=a"],
            "source procedural generates its meshes, found --source_dir",
        ),
        ("prepare", ["--seconds_per_shape=inf"], "--seconds_per_shape=inf: expected a finite number"),
        ("train", ["--learning_rate=nan"], "--learning_rate=nan: expected a finite number"),
    ],
)
def test_a_flag_without_an_effect_or_a_value_is_one_line(name, flags, message, program):
    refused = program(name, *flags)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: ") and refused.stderr.count("\n") == 1 and message in refused.stderr
