"""Errors of a damaged file, and errors of the system."""

from __future__ import annotations

import errno

import pytest

from imfield_jax.files import damaged, read_json


@pytest.mark.parametrize(
    "error", [KeyError("b"), IndexError(), RuntimeError("two\nlines"), OSError("contents"), OSError(errno.EINVAL, "")]
)
def test_any_error_of_a_reader_is_one_line_that_names_the_file(error):
    one_line = r"^a\.mat: expected a MATLAB file, found a damaged file \([^\n]+\)$"
    with pytest.raises(ValueError, match=one_line), damaged("a.mat", "MATLAB file"):
        raise error


@pytest.mark.parametrize(
    "error", [FileNotFoundError(errno.ENOENT, ""), PermissionError(errno.EACCES, ""), OSError(errno.ENOSPC, "")]
)
def test_system_errors_are_not_reported_as_damage(error):
    with pytest.raises(type(error)) as raised, damaged("a.mat", "MATLAB file"):
        raise error
    assert raised.value is error


@pytest.mark.parametrize("contents", [b"", b"{", b"[]", b"\xff\xfe", b'{"a": 1'])
def test_a_damaged_json_file_is_named_with_a_remedy(contents, tmp_path):
    (tmp_path / "a.json").write_bytes(contents)
    with pytest.raises(ValueError, match=r"a\.json: expected a note, found a damaged file \(.*\): write it again"):
        read_json(tmp_path / "a.json", "note", "write it again")
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "b.json", "note")
