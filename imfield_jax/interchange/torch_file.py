"""PyTorch's files of named tensors, read without PyTorch and without executing their code.

`torch.save` writes a pickle, in a zip file since PyTorch 1.6, in a plain file before, followed by the numbers. A
pickle is a program. This reader allows it to construct tensors and ordered dictionaries with functions defined here,
and refuses everything else; a tensor is a view of numbers, whose extent is checked first.
"""

from __future__ import annotations

import dataclasses
import io
import math
import pickle
import pickletools
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from imfield_jax.files import one_line

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # of the plain form
_MAX_SIZE = 4 << 30  # bytes of all entries of a zip file, which may declare more than any machine has
_DTYPES: dict[str, np.dtype] = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}


@dataclasses.dataclass(frozen=True)
class _Storage:
    """A one-dimensional array of numbers in the file."""

    key: str
    dtype: np.dtype
    count: int


@dataclasses.dataclass(frozen=True)
class _Tensor:
    """A view of a storage; offset and strides in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_tensors(path: Path | str) -> dict[str, Shaped[np.ndarray, " ..."]]:
    """The named tensors of a file that `torch.save(module.state_dict(), path)` wrote, in either form.

    Raises OSError when the file cannot be read, ValueError when it is damaged, holds anything but named tensors, or
    requires code to be run. The plain form has no checksums: altered numbers are not detected.
    """
    contents = Path(path).read_bytes()
    try:
        return _read_zip(contents) if contents.startswith(b"PK\3\4") else _read_plain(contents)
    except Exception as error:  # zip and pickle raise nearly anything on damaged files
        raise ValueError(f"{path}: expected named tensors of PyTorch, found none: {one_line(error)}") from error


def tensors_file(tensors: dict[str, Shaped[np.ndarray, " ..."]]) -> bytes:
    """The inverse of `read_tensors`, in the plain form, which all versions of PyTorch read, also with weights_only."""
    keys = [str(number) for number in range(len(tensors))]
    about = {"protocol_version": _PROTOCOL, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    head = [pickle.dumps(part, protocol=2) for part in (_MAGIC, _PROTOCOL, about)]
    tail = [struct.pack("<q", array.size) + np.ascontiguousarray(array).tobytes() for array in tensors.values()]
    return b"".join([*head, _dictionary(tensors, keys), pickle.dumps(keys, protocol=2), *tail])


def _read_zip(contents: bytes) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(contents)) as archive:
        names = archive.namelist()
        if sum(entry.file_size for entry in archive.infolist()) > _MAX_SIZE:
            raise ValueError(f"it declares more than {_MAX_SIZE} bytes")
        pickled = [name for name in names if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(pickled) != 1:
            raise ValueError("a zip file, but not from torch.save")
        folder = pickled[0].removesuffix("data.pkl")
        if f"{folder}byteorder" in names and archive.read(f"{folder}byteorder") != b"little":
            raise ValueError("its numbers are big-endian")
        tensors = _named(_load(io.BytesIO(archive.read(pickled[0]))))
        return _arrays(tensors, lambda storage: archive.read(f"{folder}data/{storage.key}"))


def _read_plain(contents: bytes) -> dict[str, np.ndarray]:
    file = io.BytesIO(contents)
    if _load(file) != _MAGIC or _load(file) != _PROTOCOL:
        raise ValueError("it starts like neither form of torch.save")
    if not _load(file)["little_endian"]:
        raise ValueError("its numbers are big-endian")
    tensors = _named(_load(file))
    sizes = {tensor.storage.key: tensor.storage.dtype.itemsize for tensor in tensors.values()}
    runs = {}
    for key in _load(file):
        (count,) = struct.unpack("<q", file.read(8))
        if count < 0 or key not in sizes:
            raise ValueError(f"storage {key!r} of {count} numbers belongs to no tensor")
        runs[key] = file.read(count * sizes[key])
    return _arrays(tensors, lambda storage: runs[storage.key])


# Reading pickles.


def _rebuild_tensor(storage: _Storage, offset: int, shape: tuple, strides: tuple, *_: object) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


_CALLABLE = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _DTYPES:
            return name
        if (module, name) not in _CALLABLE:
            raise ValueError(f"it requires {module}.{name}, which no file of tensors needs")
        return _CALLABLE[module, name]

    def persistent_load(self, pid: tuple) -> _Storage:
        _, kind, key, _, count, *_ = pid
        return _Storage(key, _DTYPES[kind], count)


def _load(file: io.BytesIO) -> Any:
    """The next pickle of a file."""
    start, size = file.tell(), len(file.getbuffer())
    for opcode, argument, _ in pickletools.genops(file):  # raises ValueError for a truncated argument
        if opcode.name == "LONG_BINPUT" and (argument or 0) > size:  # Python would allocate that many objects
            raise ValueError(f"it stores object number {argument} in {size} bytes")
    file.seek(start)
    return _Unpickler(file).load()


def _named(found: object) -> dict[str, _Tensor]:
    if not isinstance(found, dict) or not found:
        raise ValueError(f"expected a dictionary of tensors, found {type(found).__name__}")
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, _Tensor):
            raise ValueError(f"expected tensors by name, found {name!r}: {type(value).__name__}")
    return dict(found)


def _arrays(tensors: dict[str, _Tensor], contents_of: Callable[[_Storage], bytes]) -> dict[str, np.ndarray]:
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    numbers = {key: np.frombuffer(contents_of(storage), storage.dtype) for key, storage in storages.items()}
    return {name: _array(name, tensor, numbers[tensor.storage.key]) for name, tensor in tensors.items()}


def _array(name: str, tensor: _Tensor, numbers: np.ndarray) -> np.ndarray:
    """A copy of the tensor's view of numbers [n]."""
    extents = (tensor.storage.count, tensor.offset, *tensor.shape, *tensor.strides)
    if not all(type(extent) is int and extent >= 0 for extent in extents):
        raise ValueError(f"{name} has an impossible shape")
    if len(numbers) != tensor.storage.count:
        raise ValueError(f"{name}: expected {tensor.storage.count} numbers, found {len(numbers)}")
    last = tensor.offset + sum((length - 1) * step for length, step in zip(tensor.shape, tensor.strides, strict=True))
    count = math.prod(tensor.shape)
    if count > len(numbers) or (count and last >= len(numbers)):
        raise ValueError(f"{name} of shape {list(tensor.shape)} does not fit its {len(numbers)} numbers")
    strides = [step * numbers.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides).copy()


# Writing the pickle of a dictionary of tensors: it names functions of PyTorch, which pickle.dumps would import.


def _dictionary(tensors: dict[str, np.ndarray], keys: list[str]) -> bytes:
    items = [_text(name) + _tensor(array, key) for (name, array), key in zip(tensors.items(), keys, strict=True)]
    filled = [_ordered_dictionary(), pickle.MARK, *items, pickle.SETITEMS]
    return b"".join([pickle.PROTO, b"\2", *filled, pickle.STOP])


def _tensor(array: np.ndarray, key: str) -> bytes:
    (kind,) = [kind for kind, dtype in _DTYPES.items() if dtype == array.dtype]
    storage = [_text("storage"), _global("torch", kind), _text(key), _text("cpu"), _integer(array.size), pickle.NONE]
    strides = [math.prod(array.shape[axis + 1 :]) for axis in range(array.ndim)]
    shape = [_tuple([_integer(extent) for extent in extents]) for extents in (array.shape, strides)]
    arguments = [_tuple(storage) + pickle.BINPERSID, _integer(0), *shape, pickle.NEWFALSE, _ordered_dictionary()]
    return _global("torch._utils", "_rebuild_tensor_v2") + _tuple(arguments) + pickle.REDUCE


def _ordered_dictionary() -> bytes:
    return _global("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE


def _global(module: str, name: str) -> bytes:
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def _text(text: str) -> bytes:
    encoded = text.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(encoded)) + encoded


def _integer(number: int) -> bytes:
    return pickle.BININT + struct.pack("<i", number)


def _tuple(parts: Sequence[bytes]) -> bytes:
    return pickle.MARK + b"".join(parts) + pickle.TUPLE
