"""The named networks: `paper`, `improved` and `compact`.

paper     Chen & Zhang 2019: z = 128, six layers, (point, z) fed again to layers 2 to 5, sigmoid.
improved  the authors' later networks, parameter for parameter those of IM-NET-pytorch.
compact   the paper's decoder at a quarter of its width and narrower encoders: trains on a CPU in
          minutes and is small enough to ship.
"""

from __future__ import annotations

import dataclasses

from imfield_jax.models.decoder import DecoderConfig
from imfield_jax.models.image_encoder import ImageEncoderConfig
from imfield_jax.models.voxel_encoder import VoxelEncoderConfig


@dataclasses.dataclass(frozen=True)
class Preset:
    """The configuration of the networks and their input; saved with the weights and in a run's config.json.

    framing: how an image becomes a view, see `imfield_jax.framing`.
    """

    name: str
    decoder: DecoderConfig
    voxel_encoder: VoxelEncoderConfig
    image_encoder: ImageEncoderConfig
    framing: str


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
}


def from_dict(fields: dict) -> Preset:
    """The preset that `dataclasses.asdict` wrote, as read back from JSON.

    Raises ValueError when a field is missing or unknown.
    """
    try:
        decoder = dict(fields["decoder"], widths=tuple(fields["decoder"]["widths"]))
        return Preset(
            name=fields["name"],
            decoder=DecoderConfig(**decoder),
            voxel_encoder=VoxelEncoderConfig(**fields["voxel_encoder"]),
            image_encoder=ImageEncoderConfig(**fields["image_encoder"]),
            framing=fields["framing"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"the saved network configuration does not match this version: {error}") from error
