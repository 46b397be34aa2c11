"""Flags from files stand where the file was named, however an editor saved it."""

from __future__ import annotations

import re

import pytest

from imfield_jax.commands.flag_files import expanded


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_take_the_place_of_the_file(tmp_path, encoding, end):
    inner, outer = tmp_path / "inner.flags", tmp_path / "outer.flags"
    inner.write_bytes(end.join(["# a comment", "--c=3", ""]).encode(encoding))
    outer.write_bytes(end.join(["--b=2", f"--flagfile={inner}", "", "// another", "--d=ü 4"]).encode(encoding))
    arguments = ["program", "--a=1", f"--flagfile={outer}", "--e=5"]
    assert expanded(arguments) == ["program", "--a=1", "--b=2", "--c=3", "--d=ü 4", "--e=5"]
    assert expanded(["program", "--flagfile", str(inner)]) == ["program", "--c=3"]
    assert expanded(["program", "--", arguments[2]]) == ["program", "--", arguments[2]]


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"epochs: 3\n", "has the line 'epochs: 3': expected a --flag on each line"),
        (b"\xff\xfe-\x00", "is not a UTF-8 text file"),
        (b"--flagfile={path}\n", "includes itself"),
        (b"--flagfile=~/some.flags\n", "includes itself"),
    ],
)
def test_what_is_no_flag_file_is_named(tmp_path, monkeypatch, contents, message):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "some.flags"
    path.write_bytes(contents.replace(b"{path}", bytes(path)))
    with pytest.raises(ValueError, match=re.escape(str(path)) + " " + re.escape(message)):
        expanded([f"--flagfile={path}"])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        expanded([f"--flagfile={tmp_path / 'absent.flags'}"])
