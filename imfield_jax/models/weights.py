"""Trained weights as one file: networks, their preset and what they are, in plain npz.

Reading takes numpy alone. The parameters stand under their path ("decoder/layer_1_kernel"), the preset
and the description as JSON. Half precision halves the file; the networks compute in float32.
"""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import BinaryIO

import jax
import numpy as np

from imfield_jax.files import write_whole
from imfield_jax.models.networks import Networks, Tree
from imfield_jax.models.presets import from_dict

_FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Weights:
    """Everything inference needs.

    about: what the weights are: category, data, stage, scores; whatever JSON holds.
    """

    networks: Networks
    params: Tree
    batch_stats: Tree
    about: dict


def save_weights(path: Path | str, weights: Weights, dtype: str = "float32") -> None:
    """Write weights; the file appears whole or not at all. dtype: "float32" or "float16"."""
    arrays = _flat("params", weights.params) | _flat("batch_stats", weights.batch_stats)
    header = {
        "format": _FORMAT,
        "preset": dataclasses.asdict(weights.networks.preset),
        "about": weights.about,
    }
    contents = io.BytesIO()
    np.savez(
        contents,
        header=np.array(json.dumps(header)),
        **{name: np.asarray(array).astype(dtype) for name, array in arrays.items()},
    )
    write_whole(path, contents.getvalue())


def load_weights(path: Path | str) -> Weights:
    """The inverse of `save_weights`, in float32.

    Raises OSError when there is no such file, ValueError when it holds something else.
    """
    with open(path, "rb") as file:
        try:
            return _read(file)
        except Exception as error:  # whatever zip, npy and JSON make of another file
            raise ValueError(f"{path} does not hold weights of imfield_jax: {error}") from error


def _read(file: BinaryIO) -> Weights:
    with np.load(file) as arrays:
        header = json.loads(arrays["header"].item())
        if header["format"] != _FORMAT:
            raise ValueError(f"format {header['format']}, this version reads {_FORMAT}")
        networks = Networks(from_dict(header["preset"]))
        tree = _nested({name: arrays[name].astype(np.float32) for name in arrays.files if name != "header"})
    found, expected = (tree["params"], tree["batch_stats"]), jax.eval_shape(lambda: networks.init(jax.random.key(0)))
    if jax.tree.map(np.shape, found) != jax.tree.map(np.shape, expected):
        raise ValueError("its arrays are not those of the networks it names")
    return Weights(networks, *found, header["about"])


def _flat(prefix: str, tree: Tree) -> dict[str, np.ndarray]:
    flat = {}
    for key, value in tree.items():
        path = f"{prefix}/{key}"
        flat |= _flat(path, value) if isinstance(value, dict) else {path: value}
    return flat


def _nested(flat: dict[str, np.ndarray]) -> Tree:
    tree: Tree = {}
    for path, value in flat.items():
        *folders, leaf = path.split("/")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[leaf] = value
    return tree
