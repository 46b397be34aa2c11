"""Trained weights as one npz file: parameters, preset and description.

Reading needs numpy only. Each parameter is stored under its path ("decoder/layer_1_kernel"), the preset
and the description as JSON. Half precision stored the file; the networks compute in float32.
"""

from __future__ import annotations

import dataclasses
import json
import os

import jax
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from imfield_jax.files import damaged, read_arrays, write_arrays
from imfield_jax.models.familiarity import Familiarity
from imfield_jax.models.networks import Networks, Tree
from imfield_jax.models.presets import from_dict

_FORMAT = 1
_FAMILIARITY = "familiarity"


@dataclasses.dataclass(frozen=True)
class Weights:
    """Everything inference needs.

    params: of the decoder and the available encoders; an autoencoder has no image encoder.
    about:  what the weights are: category, data, stage, scores; any JSON value.
    familiarity: of views, if it was measured: `publish` does.
    """

    networks: Networks
    params: Tree
    batch_stats: Tree
    about: dict
    familiarity: Familiarity | None = None


def save_weights(path: str | os.PathLike, weights: Weights, dtype: str = "float32") -> None:
    """Write weights atomically. dtype: "float32" or "float16"."""
    tree = {"params": weights.params, "batch_stats": weights.batch_stats}
    if weights.familiarity is not None:
        tree[_FAMILIARITY] = dataclasses.asdict(weights.familiarity)
    arrays = flatten_dict(tree, sep="/")
    header = {
        "format": _FORMAT,
        "preset": dataclasses.asdict(weights.networks.preset),
        "about": weights.about,
    }
    stored = {name: np.asarray(array).astype(dtype) for name, array in arrays.items()}
    write_arrays(path, {"header": np.array(json.dumps(header)), **stored})


def load_weights(path: str | os.PathLike) -> Weights:
    """The inverse of `save_weights`, in float32.

    Raises OSError when the file does not exist, ValueError when it is not a weights file.
    """
    with damaged(path, "file of imfield_jax weights"):
        return _of_arrays(read_arrays(path))


def averaged(start: Weights, end: Weights) -> Weights:
    """The mean of two weights of the same networks, when training led from one to the other.

    It keeps more of what the start knew than the end does, at no cost (Wortsman et al. 2022, "Robust fine-tuning of
    zero-shot models"). The scores of neither are its own.
    """

    params, batch_stats = jax.tree.map(
        lambda a, b: (np.asarray(a) + np.asarray(b)) / np.float32(2),
        (start.params, start.batch_stats),
        (end.params, end.batch_stats),
    )
    about = {key: value for key, value in end.about.items() if not key.startswith("validation_")}
    return Weights(end.networks, params, batch_stats, about | {"averaged_with": start.about})


def _of_arrays(arrays: dict[str, np.ndarray]) -> Weights:
    header = json.loads(arrays.pop("header").item())
    if header["format"] != _FORMAT:
        raise ValueError(f"expected format {_FORMAT}, found {header['format']}")
    networks = Networks(from_dict(header["preset"]))
    paths = {name: array.astype(np.float32) for name, array in arrays.items()}
    tree = unflatten_dict(paths, sep="/")
    params, batch_stats = tree["params"], tree.get("batch_stats", {})
    if (jax.tree.map(np.shape, params), jax.tree.map(np.shape, batch_stats)) != networks.shapes(params):
        raise ValueError("its arrays do not match the networks in its preset")
    return Weights(networks, params, batch_stats, header["about"], _familiarity(tree.get(_FAMILIARITY)))


def _familiarity(arrays: dict[str, np.ndarray] | None) -> Familiarity | None:
    if arrays is None:
        return None
    middle, codes = arrays["middle"], arrays["codes"]
    if codes.ndim != 2 or middle.shape != codes.shape[1:] or not len(codes):
        raise ValueError("its codes of views do not fit together")
    return Familiarity(middle, codes, float(arrays["limit"]))
