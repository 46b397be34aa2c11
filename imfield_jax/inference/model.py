"""Networks with weights, ready to evaluate: views and voxels to latents, latents to fields and surfaces."""

from __future__ import annotations

import dataclasses
import operator
import os
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Float32, Shaped, UInt8

from imfield_jax.extraction.bridging import MAX_GAP
from imfield_jax.extraction.chunked import ChunkedField, evaluator
from imfield_jax.extraction.gradient import with_gradient_normals
from imfield_jax.extraction.sparse import REFINEMENT_ITERATIONS, Extraction, extract
from imfield_jax.framing import frame
from imfield_jax.mesh.floaters import without_floaters
from imfield_jax.models.bounds import signed_logit_bounds
from imfield_jax.models.decoder import DecoderConfig, Folded, signed_logit
from imfield_jax.models.networks import EncodedViews
from imfield_jax.models.weights import Weights
from imfield_jax.types import Array

DEFAULT = "any"  # of the shipped categories: it knows those of all others, so that nobody needs to name one
SHIPPED = Path(__file__).parent.parent / "weights"  # <category>.npz, and a sample image <category>.png
OBJECTS = 16  # maximum number of objects per chunk
FLOATERS = ("remove", "keep")
PRECISIONS = {"exact": jnp.float32, "fast": jnp.bfloat16}
_CPU_CHUNK, _ACCELERATOR_CHUNK = 1024, 16384  # points per call: fit a CPU's cache, fill an accelerator
_BOX = 16  # points that take the memory of one box: chunks of boxes are smaller by this factor


def shipped_categories() -> list[str]:
    """Categories whose weights come with the package, the default first."""
    return sorted((path.stem for path in SHIPPED.glob("*.npz")), key=lambda name: (name != DEFAULT, name))


def run_weights(run: str | os.PathLike) -> Path:
    """The weights file of a training run's folder. Raises OSError when training has not written one yet."""
    path = Path(run) / "weights.npz"
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: expected the folder of a training run that finished a stage")
    return path


def shipped_weights(category: str) -> Path:
    """The weights file of a category that comes with the package. Raises ValueError when none does."""
    if category not in shipped_categories():
        raise ValueError(
            f"no weights for category {category!r} come with this package, only for "
            f"{', '.join(shipped_categories())}: train your own and name the run folder"
        )
    return SHIPPED / f"{category}.npz"


class Model:
    """The networks of one category with their weights. Compiles once for all images and resolutions.

    precision: of the fields. "exact": float32 throughout. "fast": factors of the decoder's large products in
               bfloat16, for machines that multiply those faster; vertices move by hundredths of a cell.
    """

    def __init__(self, weights: Weights, precision: str = "exact"):
        if precision not in PRECISIONS:
            raise ValueError(f"precision: expected {' or '.join(PRECISIONS)}, found {precision!r}")
        self.weights = weights
        self.precision = precision
        self.inputs = weights.networks.preset.inputs
        self._params = jax.device_put(weights.params)
        self._batch_stats = jax.device_put(weights.batch_stats)

    def encode_views(self, views: Float[Array, "B S S C"]) -> Float32[np.ndarray, "B Z"]:
        """The latents of what the network sees."""
        return np.asarray(self.encode_views_in_full(views).z)

    def encode_views_in_full(self, views: Float[Array, "B S S C"]) -> EncodedViews:
        """As `encode_views`, with all else that the network says about the views, as NumPy arrays."""
        return jax.tree.map(np.asarray, self._encode_views(self._params, self._batch_stats, views))

    def encode_voxels(self, voxels: Shaped[Array, "B V V V"]) -> Float32[np.ndarray, "B Z"]:
        """The latents of voxels, 0 or 1."""
        return np.asarray(self._encode_voxels(self._params, voxels))

    def view(self, rgba: np.ndarray) -> UInt8[np.ndarray, "S S C"]:
        """An image, RGBA [H, W, 4] uint8, as the network sees it."""
        return frame(rgba, self.inputs.framing, self.inputs.view_size)

    def field(self, z: Float[Array, "*objects Z"]) -> ChunkedField:
        """The field of one latent, or those of up to OBJECTS latents: positive inside. Raises ValueError for more."""
        return self._chunked(self._evaluator, z)

    def gradient(self, z: Float[Array, "*objects Z"]) -> ChunkedField:
        """The gradients of the fields of `field`, per cube unit: points [P, 3] -> [P, 3]."""
        return self._chunked(self._differentiator, z)

    def bounds(self, z: Float[Array, "*objects Z"]) -> ChunkedField:
        """Bounds on the fields of `field` in boxes, see `certified`. Raises ValueError unless precision is exact."""
        if self.precision != "exact":
            raise ValueError(f"bounds need precision exact, found {self.precision}")
        preset = self.weights.networks.preset
        if not isinstance(preset.decoder, DecoderConfig):
            raise ValueError(f"no bounds are known for the decoder of preset {preset.name}: nothing can be certified")
        return self._chunked(self._bounder, z)

    def _chunked(self, make: Callable[[Folded, int], ChunkedField], z: Float[Array, "*objects Z"]) -> ChunkedField:
        z = np.atleast_2d(z)
        if not 1 <= len(z) <= OBJECTS:
            raise ValueError(f"expected 1 to {OBJECTS} latents, found {len(z)}")
        padded = np.pad(z, ((0, OBJECTS - len(z)), (0, 0)))  # one shape, one compilation
        return make(self._fold(self._params, padded), len(z))

    def extract(
        self,
        z: Float[Array, "*objects Z"],
        resolution: int,
        *,
        refinement_iterations: int = REFINEMENT_ITERATIONS,
        floaters: str = "remove",
        bridge_gap: float = MAX_GAP,
        certify: bool = False,
        field_normals: bool = False,
        clock: Callable[[], float] | None = None,
    ) -> Extraction:
        """The surfaces of one latent or several, see `field` and `extraction.sparse.extract`.

        floaters:      "remove" leaves out debris, see `without_floaters`; "keep" keeps it.
        bridge_gap:    cube units; pieces whose gap is no wider are joined. 0 joins none.
        certify:       find all of the surface, with proof. Raises ValueError unless precision is exact.
        field_normals: normals of the level sets instead of the triangles, see `with_gradient_normals`.

        Raises ValueError for options out of range, TypeError for a resolution that is not an integer.
        """
        if floaters not in FLOATERS:
            raise ValueError(f"floaters: expected {' or '.join(FLOATERS)}, found {floaters!r}")
        resolution = whole_number(resolution)
        extraction = extract(
            self.field(z),
            resolution,
            refinement_iterations=refinement_iterations,
            bridge_gap=bridge_gap,
            bounds=self.bounds(z) if certify else None,
            clock=clock,
        )
        meshes, left_out = extraction.meshes, extraction.left_out
        if floaters == "remove":
            meshes, left_out = map(list, zip(*map(without_floaters, meshes), strict=True))
        if field_normals:
            gradient = self.gradient(z)
            meshes = [
                with_gradient_normals(mesh, partial(gradient, owners=number)) for number, mesh in enumerate(meshes)
            ]
        return dataclasses.replace(extraction, meshes=meshes, left_out=left_out)

    @property
    def crop(self) -> bool:
        """Whether images may be cropped to the object when they are read; the framing 'centre' needs their margins."""
        return self.inputs.framing != "centre"

    @cached_property
    def _encode_views(self) -> Callable:
        return jax.jit(self.weights.networks.encode_views_in_full)

    @cached_property
    def _encode_voxels(self) -> Callable:
        return jax.jit(self.weights.networks.encode_voxels)

    @cached_property
    def _fold(self) -> Callable:
        fold = self.weights.networks.fold
        return jax.jit(lambda params, z: fold(params, z).in_dtype(PRECISIONS[self.precision]))

    @cached_property
    def _evaluator(self) -> Callable:
        return evaluator(_of_one(signed_logit), _chunk())

    @cached_property
    def _differentiator(self) -> Callable:
        return evaluator(jax.grad(_of_one(signed_logit), argnums=1), _chunk())

    @cached_property
    def _bounder(self) -> Callable:
        return evaluator(_of_one(signed_logit_bounds), _chunk() // _BOX)


def _chunk() -> int:
    return _CPU_CHUNK if jax.default_backend() == "cpu" else _ACCELERATOR_CHUNK


def whole_number(resolution: int) -> int:
    """The resolution as an int. Raises TypeError if it is not an integer."""
    try:
        return operator.index(resolution)
    except TypeError:
        raise TypeError(f"resolution: expected a whole number of cells per axis, found {resolution!r}") from None


def _of_one(evaluate: Callable[[Any, Array], Array]) -> Callable[[Folded, Array, Array], Array]:
    """A function of one object's decoder, for decoders of several objects and points that name theirs."""
    return lambda folded, point, number: evaluate(folded.of(number), point)
