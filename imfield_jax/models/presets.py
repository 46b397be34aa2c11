"""The named networks: `paper`, `improved`, `compact` and `planes`.

paper     Chen & Zhang 2019: z = 128, six layers, (point, z) fed again to layers 2 to 5, sigmoid.
improved  the authors' later networks, parameter for parameter those of IM-NET-pytorch.
compact   the paper's decoder at a quarter of its width and narrower encoders: trains on a CPU in
          minutes and is small enough to ship.
planes    the second generation: a latent laid out in space, and an image encoder that predicts the camera and lifts
          the features of the view into the cube. Trained on one kind of shapes, it can describe others. It is told
          the shapes from voxels of half the size: of wings and slats, 64^3 voxels show no more than where they are.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from imfield_jax.batches import Inputs
from imfield_jax.models.decoder import DecoderConfig
from imfield_jax.models.image_encoder import ImageEncoderConfig
from imfield_jax.models.plane_image_encoder import PlaneImageEncoderConfig
from imfield_jax.models.plane_voxel_encoder import PlaneVoxelEncoderConfig
from imfield_jax.models.planes import PlaneDecoderConfig
from imfield_jax.models.voxel_encoder import VoxelEncoderConfig


@dataclasses.dataclass(frozen=True)
class Preset:
    """The configuration of the networks and their input; saved with the weights and in a run's config.json.

    framing, view_size, voxel_size: of the input, see `batches.Inputs`.
    """

    name: str
    decoder: DecoderConfig | PlaneDecoderConfig
    voxel_encoder: VoxelEncoderConfig | PlaneVoxelEncoderConfig
    image_encoder: ImageEncoderConfig | PlaneImageEncoderConfig
    framing: str
    view_size: int = Inputs.view_size
    voxel_size: int = Inputs.voxel_size

    @property
    def inputs(self) -> Inputs:
        """What the encoders see of a shape. Raises as `Inputs`."""
        return Inputs(self.framing, self.view_size, self.voxel_size)


PRESETS = {
    "paper": Preset(
        name="paper",
        decoder=DecoderConfig(128, (2048, 1024, 512, 256, 128), skips=True, output="sigmoid"),
        voxel_encoder=VoxelEncoderConfig(128, width=32, affine=True),
        image_encoder=ImageEncoderConfig(128, width=64),
        framing="centre",
    ),
    "improved": Preset(
        name="improved",
        decoder=DecoderConfig(256, (1024, 1024, 1024, 512, 256, 128), skips=False, output="leaky_clip"),
        voxel_encoder=VoxelEncoderConfig(256, width=32, affine=False),
        image_encoder=ImageEncoderConfig(256, width=64),
        framing="centre",
    ),
    "compact": Preset(
        name="compact",
        decoder=DecoderConfig(128, (512, 256, 128, 64, 32), skips=True, output="sigmoid", initial_std=None, octaves=4),
        voxel_encoder=VoxelEncoderConfig(128, width=32, affine=True, stem_stride=4),
        image_encoder=ImageEncoderConfig(128, width=32, stem_stride=4),
        framing="fit",
    ),
    "planes": Preset(
        name="planes",
        decoder=PlaneDecoderConfig(resolution=32, channels=24, widths=(64, 64)),
        voxel_encoder=PlaneVoxelEncoderConfig(resolution=32, channels=24),
        image_encoder=PlaneImageEncoderConfig(resolution=32, channels=24),
        framing="matte",
        voxel_size=128,
    ),
}

_KINDS = {
    "decoder": (DecoderConfig, PlaneDecoderConfig),
    "voxel_encoder": (VoxelEncoderConfig, PlaneVoxelEncoderConfig),
    "image_encoder": (ImageEncoderConfig, PlaneImageEncoderConfig),
}


def architecture(preset: Preset) -> dict:
    """The fields that must agree for two presets to use the same weights: all but name and initial values."""
    fields = dataclasses.asdict(preset)
    del fields["name"]
    fields["decoder"].pop("initial_std", None)
    return fields


def from_dict(fields: dict) -> Preset:
    """The preset that `dataclasses.asdict` wrote, as read back from JSON.

    Raises ValueError when a field is missing or unknown.
    """
    try:
        configs = {part: _config(part, fields[part]) for part in _KINDS}
        sizes = {key: fields[key] for key in ("view_size", "voxel_size") if key in fields}  # older files lack them
        return Preset(name=fields["name"], framing=fields["framing"], **configs, **sizes)
    except (KeyError, TypeError) as error:
        raise ValueError(f"the saved network configuration does not match this version: {error}") from error


def _config(part: str, fields: dict) -> Any:
    """The configuration of a network; its fields tell of which kind it is. Raises TypeError if of none."""
    kinds = {kind: {field.name for field in dataclasses.fields(kind)} for kind in _KINDS[part]}
    # Older files lack fields that have defaults now.
    kind = next((kind for kind, names in kinds.items() if names >= set(fields)), None)
    if kind is None:
        raise TypeError(f"{part} has unknown fields among {', '.join(fields)}")
    return kind(**{name: tuple(value) if name == "widths" else value for name, value in fields.items()})
