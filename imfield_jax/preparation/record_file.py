"""Records on disk between preparation and the dataset: one file per shape, written atomically.

A file is an npz of plain arrays (images as PNG, the solid packed) that also contains the report on
the shape as JSON, so that a resumed run has the reports of all finished shapes.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from imfield_jax.coordinates import LEVEL_SIZES, SOLID_RESOLUTION
from imfield_jax.files import damaged, read_arrays, write_atomic
from imfield_jax.images import encode_png
from imfield_jax.preparation.record import Record
from imfield_jax.preparation.sampling import pack_solid, unpack_solid

_REMEDY = "delete it and prepare again"


def write_record(path: Path, record: Record, report: dict) -> None:
    """Write a record and its report atomically."""
    images = [encode_png(view) for view in record.views]
    arrays: dict[str, np.ndarray | np.generic] = {
        "name": np.array(record.name),
        "voxels": np.packbits(record.voxels),
        "solid": np.frombuffer(pack_solid(record.solid), np.uint8),
        "views": np.frombuffer(b"".join(images), np.uint8),
        "view_sizes": np.array([len(image) for image in images]),
        "cameras": record.cameras,
        "center": record.center,
        "scale": record.scale,
        "report": np.array(json.dumps(report)),
    }
    arrays |= {f"points_{level}": points for level, points in record.points.items()}
    arrays |= {f"grid_{level}": np.array(grid) for level, grid in record.grids.items()}
    arrays |= {f"values_{level}": values for level, values in record.values.items()}
    contents = io.BytesIO()
    np.savez(contents, allow_pickle=False, **arrays)
    write_atomic(path, contents.getvalue())


def read_report(path: Path) -> dict | None:
    """The report in a record file; None when the file is missing or incomplete."""
    try:
        return json.loads(read_arrays(path, {"report"}.__contains__)["report"].item())
    except (OSError, ValueError, KeyError):
        return None


def read_levels(path: Path) -> dict[str, dict[str, int]]:
    """By level: the number of "points" of a record, and cells per axis of the "grid" that they index.

    Raises as `read_example`.
    """
    with damaged(path, "record file", _REMEDY):
        arrays = read_arrays(path, lambda name: name.startswith(("points", "grid")))
        return {
            str(level): {
                "points": len(arrays[f"points_{level}"]),
                "grid": int(arrays.get(f"grid_{level}", SOLID_RESOLUTION)),  # missing in older records
            }
            for level in LEVEL_SIZES
        }


def read_example(path: Path) -> dict:
    """A record as the features of the dataset (see `dataset.features`); images remain PNG bytes.

    Raises OSError when the file cannot be read, ValueError when it is damaged.
    """
    with damaged(path, "record file", _REMEDY):
        return _example(read_arrays(path))


def _example(arrays: dict[str, np.ndarray]) -> dict:
    images = np.split(arrays["views"], np.cumsum(arrays["view_sizes"])[:-1])
    example = {
        "name": arrays["name"].item(),
        "voxels": np.unpackbits(arrays["voxels"]).reshape(64, 64, 64),
        "solid": np.packbits(unpack_solid(arrays["solid"].tobytes())),
        "views": [io.BytesIO(image.tobytes()) for image in images],
        "cameras": arrays["cameras"],
        "center": arrays["center"],
        "scale": arrays["scale"][()],
    }
    for level in LEVEL_SIZES:
        example[f"points_{level}"] = arrays[f"points_{level}"]
        example[f"values_{level}"] = arrays[f"values_{level}"]
    return example


def decode_png(data: bytes) -> UInt8[np.ndarray, "H W 4"]:
    """The inverse of `images.encode_png`, for RGBA."""
    return np.asarray(Image.open(io.BytesIO(data)))
