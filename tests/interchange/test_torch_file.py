"""PyTorch's files: both forms are read bit for bit, and everything else is refused."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from imfield_jax.interchange.torch_file import read_tensors, tensors_file

FIXTURE = Path(__file__).parent / "pytorch"
FILES = {"zip": FIXTURE / "IM_AE.model64-0.pth", "plain": FIXTURE / "IM_SVR.model-0.pth"}  # written by PyTorch


@pytest.fixture
def put(tmp_path):
    def made(contents):
        path = tmp_path / "tensors.pth"
        path.write_bytes(contents)
        return path

    return made


def assert_same(found, expected):
    assert list(found) == list(expected)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name], strict=True)


def test_both_forms_hold_the_same_decoder():
    of_zip, of_plain = read_tensors(FILES["zip"]), read_tensors(FILES["plain"])
    shared = [name for name in of_zip if name.startswith("generator.")]
    assert len(shared) == 14
    assert_same({name: of_zip[name] for name in shared}, {name: of_plain[name] for name in shared})
    assert of_zip["generator.linear_1.weight"].shape == (12, 9)
    assert of_plain["img_encoder.bn_0.num_batches_tracked"].dtype == np.int64


@pytest.mark.parametrize("form", FILES)
def test_a_written_file_reads_back(form, put):
    tensors = read_tensors(FILES[form])
    assert_same(read_tensors(put(tensors_file(tensors))), tensors)


def test_all_kinds_of_shapes_are_read_back(put, rng):
    tensors = {
        "scalar": np.array(7),
        "empty": np.zeros((0, 3), np.float32),
        "transposed": rng.normal(size=(3, 5)).T,
        "half": rng.normal(size=4).astype(np.float16),
    }
    assert_same(read_tensors(put(tensors_file(tensors))), tensors)


class Recorder(pickle.Unpickler):
    """Records every call of a pickle and its arguments, except the keys of storages."""

    def find_class(self, module, name):
        return OrderedDict if name == "OrderedDict" else lambda *arguments: (module, name, *arguments)

    def persistent_load(self, pid):
        return tuple(part() if callable(part) else part for number, part in enumerate(pid) if number != 2)


def test_the_plain_form_equals_what_pytorch_writes():
    """PyTorch's own reader is stricter than ours: it must perform the same calls for both files."""
    calls = []
    for contents in (FILES["plain"].read_bytes(), tensors_file(read_tensors(FILES["plain"]))):
        file = io.BytesIO(contents)
        calls.append([Recorder(file).load() for _ in range(4)])
        assert len(Recorder(file).load()) == 142
    assert calls[0] == calls[1]


class Calls:
    def __reduce__(self):
        return os.system, ("touch owned",)


@pytest.mark.parametrize("form", FILES)
def test_code_in_a_file_is_refused_and_not_run(form, put, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evil = pickle.dumps({"weight": Calls()}, protocol=2)
    if form == "zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("archive/data.pkl", evil)
        path = put(buffer.getvalue())
    else:
        head = [pickle.dumps(part, protocol=2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
        path = put(b"".join([*head, evil]))
    with pytest.raises(ValueError, match=r"tensors\.pth: .* requires posix\.system"):
        read_tensors(path)
    assert not (tmp_path / "owned").exists()


def test_a_tensor_may_not_exceed_its_storage(put):
    contents = tensors_file({"weight": np.ones(8, np.float32)})
    size, longer = pickle.BININT + b"\x08\0\0\0", pickle.BININT + b"\x09\0\0\0"
    assert contents.count(size) == 2  # once for the storage, once for the tensor
    with pytest.raises(ValueError, match=r"weight of shape \[9\] does not fit its 8 numbers"):
        read_tensors(put(longer.join(contents.rsplit(size, 1))))
    with pytest.raises(ValueError, match="weight: expected 9 numbers, found 8"):
        read_tensors(put(contents.replace(size, longer, 1)))


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "pickle exhausted"),
        (b"PK\3\4", "not a zip file"),
        (pickle.dumps([1, 2], protocol=2), "starts like neither form"),
        (b"\x80\x02r\xff\xff\xff\x7f.", "stores object number"),
    ],
)
def test_other_files_are_refused_in_one_line(contents, message, put):
    with pytest.raises(ValueError, match="expected named tensors of PyTorch, found none") as caught:
        read_tensors(put(contents))
    assert message in str(caught.value)


@pytest.mark.parametrize("form", FILES)
def test_damaged_files_are_refused_or_read_but_never_crash(form, put, rng):
    """A plain file has no checksums, so a number of it may change; a name, a shape or a byte of a zip may not."""
    whole, sound = FILES[form].read_bytes(), read_tensors(FILES[form])
    accepted = 0
    for round_ in range(300):
        damaged = bytearray(whole)
        if round_ % 3 == 0:
            del damaged[rng.integers(len(whole)) :]
        else:
            reach = len(whole) if round_ % 3 == 1 else 9000  # half of the flips are in the description
            damaged[rng.integers(reach)] ^= 1 << rng.integers(8)
        try:
            found = read_tensors(put(bytes(damaged)))
        except ValueError:
            continue
        accepted += 1
        if form == "zip":
            assert_same(found, sound)
        assert all(isinstance(array, np.ndarray) and array.size < len(whole) for array in found.values())
    assert accepted < 200
