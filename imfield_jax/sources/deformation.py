"""More shapes from few: smooth random deformations of a mesh, with other proportions and colours.

A deformation scales the axes and displaces all points by a sum of few low waves, mirror-symmetric in x = 0 as most
objects are. Its displacements change slowly enough that no surface is folded or torn.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from jaxtyping import Float, Float64

from imfield_jax.sources.derived import variant
from imfield_jax.sources.scene import Part, Scene
from imfield_jax.sources.shape import Partial, Shape

_SCALE = 0.2  # standard deviation of the logarithm of each axis' scale
_LARGEST_SCALE = 0.4  # of that logarithm
_WAVES = 6
_STEEPEST = 0.5  # largest derivative of the displacement; below 1, the deformation is invertible
_LATTICE = 17  # points per axis to find it on
_REPAINTED = 0.5  # share of the parts without texture that get another colour


def deformed(shapes: Sequence[Shape], count: int, seed: int) -> list[Shape]:
    """`count` deformations of each training shape, named "<name>~1", "<name>~2", ..., for training.

    Loading one raises ValueError for a shape whose source has no mesh of it.
    """
    return [
        dataclasses.replace(shape, name=name, load=partial(_load, shape.load, name, seed))
        for shape in shapes
        if shape.split == "train"
        for name in (variant(shape.name, number) for number in range(1, count + 1))
    ]


def deform(scene: Scene, rng: np.random.Generator) -> Scene:
    """A random deformation of a scene, with the centre and the diagonal of the original's bounding box."""
    vertices, _ = scene.soup()
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    center, reach = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    if not reach > 0:
        raise ValueError("all vertices of the mesh are the same point")
    scale = np.exp(np.clip(rng.normal(0, _SCALE, 3), -_LARGEST_SCALE, _LARGEST_SCALE))
    displacement = waves(rng)
    placed = [(part.vertices - center) / reach for part in scene.parts]
    moved = [scale * (points + displacement(points)) for points in placed]
    everything = np.concatenate(moved)
    low, high = everything.min(axis=0), everything.max(axis=0)
    back = 2 * reach / float(np.linalg.norm(high - low))
    parts = [
        dataclasses.replace(_repainted(part, rng), vertices=center + (points - (low + high) / 2) * back)
        for part, points in zip(scene.parts, moved, strict=True)
    ]
    return dataclasses.replace(scene, parts=tuple(parts))


def waves(rng: np.random.Generator) -> Callable[[Float[np.ndarray, "V 3"]], Float64[np.ndarray, "V 3"]]:
    """A random smooth displacement of points within [-1, 1]^3: odd in x along x, even in x along y and z."""
    frequencies = rng.uniform(0.3, 2.0, (_WAVES, 3)) * np.pi / 2
    phases = rng.uniform(0, 2 * np.pi, (_WAVES, 2))
    amplitudes = rng.normal(size=(_WAVES, 3))

    def displacement(points: Float[np.ndarray, "V 3"]) -> Float64[np.ndarray, "V 3"]:
        across, up, along = (points[:, None] * frequencies).transpose(2, 0, 1)  # each [V, waves]
        common = np.cos(up + phases[:, 0]) * np.cos(along + phases[:, 1])
        odd, even = np.sin(across) * common, np.cos(across) * common
        return np.stack([odd @ amplitudes[:, 0], even @ amplitudes[:, 1], even @ amplitudes[:, 2]], axis=1)

    amplitudes *= rng.uniform(0, _STEEPEST) / _steepest(displacement)
    return displacement


def _steepest(displacement: Callable[[np.ndarray], np.ndarray]) -> float:
    """The largest derivative of a displacement, on a lattice that is fine next to its waves."""
    axis = np.linspace(-1, 1, _LATTICE)
    lattice = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    values = displacement(lattice.reshape(-1, 3)).reshape(lattice.shape)
    jacobians = np.stack(np.gradient(values, axis[1] - axis[0], axis=(0, 1, 2)), axis=-1)
    return float(np.linalg.norm(jacobians, axis=(-2, -1)).max())


def _repainted(part: Part, rng: np.random.Generator) -> Part:
    """The part, perhaps in another colour; its opacity stays."""
    red, green, blue = rng.uniform(0.03, 0.97, 3).tolist()
    chosen = rng.random() < _REPAINTED
    if part.texture is not None or part.colors is not None or not chosen:
        return part
    return dataclasses.replace(part, color=(red, green, blue, part.color[3]))


def _load(load: Callable[[], Scene | Partial], name: str, seed: int) -> Scene:
    scene = load()
    if not isinstance(scene, Scene):
        raise ValueError(f"{name}: expected a mesh to deform, found a shape that is already prepared")
    digest = hashlib.sha256(name.encode()).digest()
    return deform(scene, np.random.default_rng([seed, int.from_bytes(digest[8:16], "little")]))
