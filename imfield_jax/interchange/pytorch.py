"""Conversion between IM-NET-pytorch's parameters and ours: names and axis orders of its IM_AE and IM_SVR files.

| files | theirs | ours |
| --- | --- | --- |
| both | generator.linear_1 ... 7: weight [out, in], of (point, z) | decoder/layer_1 ... 7_kernel [in, out] |
| IM_AE | encoder.conv_1 ... 5: weight [out, in, x, y, z] | voxel_encoder/conv_1 ... 5/kernel [x, y, z, in, out] |
| IM_SVR | img_encoder.conv_*, bn_*, res_*: weight [out, in, y, x] | image_encoder/.../kernel [y, x, in, out] |

Their last convolutions cover the whole input, so ours are dense layers: [x y z in, out] and [y x in, out].
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict
from jaxtyping import Shaped

from imfield_jax.models.decoder import DecoderConfig
from imfield_jax.models.networks import Networks, Tree
from imfield_jax.models.presets import PRESETS, Preset, architecture
from imfield_jax.models.weights import Weights

PREFIXES = {"decoder": "generator", "voxel_encoder": "encoder", "image_encoder": "img_encoder"}
_LEAVES = {"kernel": "weight", "scale": "weight", "mean": "running_mean", "var": "running_var"}
_COVERING = {"encoder.conv_5.weight": (4, 4, 4), "img_encoder.conv_10.weight": (4, 4)}  # kernels as large as the input
_COUNTER = ".num_batches_tracked"  # of PyTorch's batch normalisation, only a counter


def from_pytorch(tensors: dict[str, Shaped[np.ndarray, " ..."]], about: dict) -> Weights:
    """The weights from the tensors of an IM_AE file, an IM_SVR file, or both together.

    The preset is `improved` with the widths of the tensors. Raises ValueError, naming the tensor, if they are not
    those of IM-NET-pytorch's networks.
    """
    networks = Networks(_preset(tensors))
    params, batch_stats = networks.shapes(part for part, prefix in PREFIXES.items() if _has(tensors, prefix))
    ours = {}
    for path, shape in _paths(params, batch_stats).items():
        ours[path] = _ours(_their_name(path), tensors, shape)
    known = {_their_name(path) for path in ours}
    unknown = [name for name in tensors if name not in known and not name.endswith(_COUNTER)]
    if unknown:
        raise ValueError(f"{unknown[0]} belongs to none of IM-NET-pytorch's networks")
    tree = unflatten_dict(ours)
    return Weights(networks, tree["params"], tree.get("batch_stats", {}).get("image_encoder", {}), about)


def to_pytorch(weights: Weights) -> dict[str, Shaped[np.ndarray, " ..."]]:
    """The inverse: the tensors of all parts with IM-NET-pytorch's names.

    Raises ValueError for networks that IM-NET-pytorch does not have, those of presets other than `improved`.
    """
    found, tensors = weights.networks.preset, {}
    if isinstance(found.decoder, DecoderConfig):
        for path, array in _paths(weights.params, weights.batch_stats).items():
            tensors[_their_name(path)] = _theirs(_their_name(path), array)
            if path[-1] == "mean":
                tensors[_their_name(path).replace(".running_mean", _COUNTER)] = np.array(0)
    if not tensors or architecture(found) != architecture(_preset(tensors)):
        raise ValueError(f"expected the networks of the preset improved, as in IM-NET-pytorch, found {found.name}")
    return tensors


def _paths(params: Tree, batch_stats: Tree) -> dict[tuple[str, ...], Any]:
    """("params", part, module, ..., leaf) and ("batch_stats", "image_encoder", ...) -> the leaf's value."""
    return flatten_dict({"params": params, "batch_stats": {"image_encoder": batch_stats}})


def _has(tensors: dict[str, np.ndarray], prefix: str) -> bool:
    return any(name.startswith(f"{prefix}.") for name in tensors)


def _preset(tensors: dict[str, np.ndarray]) -> Preset:
    improved = PRESETS["improved"]
    latent = _tensor(tensors, "generator.linear_1.weight", 2).shape[1] - 3
    numbers = range(1, len(improved.decoder.widths) + 1)
    widths = tuple(len(_tensor(tensors, f"generator.linear_{number}.weight", 2)) for number in numbers)
    encoders = {}
    for part, first in (("voxel_encoder", "conv_1"), ("image_encoder", "conv_0")):
        config, prefix = getattr(improved, part), PREFIXES[part]
        width = len(_tensor(tensors, f"{prefix}.{first}.weight")) if _has(tensors, prefix) else config.width
        encoders[part] = dataclasses.replace(config, latent=latent, width=width)
    return dataclasses.replace(
        improved, decoder=dataclasses.replace(improved.decoder, latent=latent, widths=widths), **encoders
    )


def _tensor(tensors: dict[str, np.ndarray], name: str, axes: int | None = None) -> np.ndarray:
    if name not in tensors:
        raise ValueError(f"{name} is missing")
    if axes and tensors[name].ndim != axes:
        raise ValueError(f"{name}: expected {axes} axes, found the shape {list(tensors[name].shape)}")
    return tensors[name]


def _their_name(path: tuple[str, ...]) -> str:
    """("params", "image_encoder", "res_1", "bn_1", "scale") -> "img_encoder.res_1.bn_1.weight"."""
    _, part, *modules, leaf = path
    if part == "decoder":
        _, number, leaf = leaf.split("_")
        modules = [f"linear_{number}"]
    return ".".join((PREFIXES[part], *modules, _LEAVES.get(leaf, leaf)))


def _ours(name: str, tensors: dict[str, np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """A tensor with the outputs last; `shape` is implied by the other tensors."""
    array = _tensor(tensors, name)
    moved = np.moveaxis(array, (0, 1), (-1, -2)) if array.ndim > 1 else array
    if name in _COVERING and array.shape[2:] == _COVERING[name]:
        moved = moved.reshape(-1, array.shape[0])
    if moved.shape != shape:
        raise ValueError(f"{name} has the shape {list(array.shape)}, which does not fit the others")
    if not np.isfinite(moved).all():
        raise ValueError(f"{name} has numbers that are not finite")
    return np.ascontiguousarray(moved, np.float32)


def _theirs(name: str, array: np.ndarray) -> np.ndarray:
    """The inverse of `_ours`."""
    if name in _COVERING:
        array = array.reshape(*_COVERING[name], -1, array.shape[-1])
    return np.ascontiguousarray(np.moveaxis(array, (-1, -2), (0, 1)) if array.ndim > 1 else array, np.float32)
