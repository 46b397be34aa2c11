"""Pictures to meshes in one call: encoder, folded decoder, extraction.

from imfield_jax import Reconstructor
mesh = Reconstructor.shipped("car").mesh("photo.png", resolution=256)
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from imfield_jax.extraction.evaluation import ChunkedField, evaluator
from imfield_jax.extraction.sparse import Extraction, extract
from imfield_jax.framing import frame, grey_to_view
from imfield_jax.inference.photo import read_picture
from imfield_jax.mesh.crumbs import CRUMB, without_crumbs
from imfield_jax.models.decoder import signed_logit
from imfield_jax.models.weights import Weights, load_weights
from imfield_jax.types import Array, Mesh

SHIPPED = Path(__file__).parent.parent / "weights"  # <category>.npz, and <category>.png to try it with
_CHUNK = {"cpu": 4096}  # points per call of the field: cache on a CPU, occupancy of the device elsewhere
_ACCELERATOR_CHUNK = 65536


def shipped_categories() -> list[str]:
    """Categories whose weights come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.npz"))


def run_weights(run: str | os.PathLike) -> Path:
    """The weights file of a training run's folder. Raises OSError when training wrote none yet."""
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


class Reconstructor:
    """The networks of one category, ready to use. Compiles once for all pictures and resolutions."""

    def __init__(self, weights: Weights):
        self.weights = weights
        self.framing = weights.networks.preset.framing
        self._params = jax.device_put(weights.params)
        self._batch_stats = jax.device_put(weights.batch_stats)

    @classmethod
    def shipped(cls, category: str) -> Reconstructor:
        """With the weights that come with the package, see `shipped_weights`."""
        return cls(load_weights(shipped_weights(category)))

    @classmethod
    def of_run(cls, run: str | os.PathLike) -> Reconstructor:
        """With the newest weights of a training run's folder, see `run_weights`."""
        return cls(load_weights(run_weights(run)))

    def encode_views(self, views: Array) -> np.ndarray:
        """What the network sees [B, 128, 128, 1] -> z [B, Z]."""
        return np.asarray(self._encode_views(self._params, self._batch_stats, views))

    def encode_voxels(self, voxels: Array) -> np.ndarray:
        """[B, 64, 64, 64] in {0, 1} -> z [B, Z]."""
        return np.asarray(self._encode_voxels(self._params, voxels))

    def view(self, rgba: np.ndarray) -> np.ndarray:
        """A picture [H, W, 4] uint8 as the network sees it: [128, 128] uint8."""
        return frame(rgba, self.framing)

    def field(self, z: np.ndarray) -> ChunkedField:
        """The field of one latent [Z]: positive inside."""
        return self._evaluator(self._fold(self._params, jnp.asarray(z)))

    def extract(
        self,
        z: np.ndarray,
        resolution: int,
        *,
        secants: int = 0,
        crumbs: float = CRUMB,
        clock: Callable[[], float] | None = None,
    ) -> Extraction:
        """The surface of one latent [Z], see `extraction.extract`, without its `crumbs`, see `without_crumbs`."""
        extraction = extract(self.field(z), resolution, secants=secants, clock=clock)
        return dataclasses.replace(extraction, mesh=without_crumbs(extraction.mesh, crumbs))

    def mesh(self, picture: str | os.PathLike | np.ndarray, resolution: int = 256) -> Mesh:
        """A picture file, or RGBA [H, W, 4] uint8, to a closed mesh in the cube without crumbs, y up, front -z."""
        rgba = picture if isinstance(picture, np.ndarray) else read_picture(picture).rgba
        view = grey_to_view(self.view(rgba))
        return self.extract(self.encode_views(view[None])[0], resolution).mesh

    @cached_property
    def _encode_views(self) -> Callable:
        return jax.jit(self.weights.networks.encode_views)

    @cached_property
    def _encode_voxels(self) -> Callable:
        return jax.jit(self.weights.networks.encode_voxels)

    @cached_property
    def _fold(self) -> Callable:
        return jax.jit(self.weights.networks.fold)

    @cached_property
    def _evaluator(self) -> Callable:
        return evaluator(signed_logit, _CHUNK.get(jax.default_backend(), _ACCELERATOR_CHUNK))
