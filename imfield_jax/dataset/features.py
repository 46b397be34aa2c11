"""The stored fields of a shape, as features of TensorFlow Datasets."""

from __future__ import annotations

import numpy as np
import tensorflow_datasets as tfds

from imfield_jax.coordinates import LEVEL_SIZES, SOLID_RESOLUTION, VOXEL_RESOLUTION

# The points stored for each level; the first files of IM-NET have other points.
LEVELS = {str(level): {"points": size, "grid": SOLID_RESOLUTION} for level, size in LEVEL_SIZES.items()}


def features(levels: dict[str, dict[str, int]]) -> tfds.features.FeaturesDict:
    """The features of one shape, in the notation of `imfield_jax.types`.

    levels: as `LEVELS`, the points that preparation samples.
    """
    points = {
        f"{kind}_{level}": tfds.features.Tensor(
            shape=(stored["points"], *shape),
            dtype=np.uint8,
            encoding=encoding,
            doc=f"{text.format(stored['grid'])} (sampled on {level}^3 cells)",
        )
        for level, stored in levels.items()
        for kind, shape, encoding, text in (
            ("points", (3,), "bytes", "Indices in a grid of {0} cells per axis: (index + 0.5) / {0} - 0.5"),
            ("values", (), "zlib", "1 inside, 0 outside"),
        )
    }
    camera = "Azimuth, elevation (radians), distance (cube units), field of view (radians)"
    tensor = tfds.features.Tensor
    return tfds.features.FeaturesDict(
        {
            "name": tfds.features.Text(doc="<group>/<model id>, unique in the dataset"),
            "voxels": tensor(
                shape=(VOXEL_RESOLUTION,) * 3,
                dtype=np.uint8,
                encoding="zlib",
                doc="1 where any of 4^3 voxels is occupied",
            ),
            "solid": tensor(
                shape=(SOLID_RESOLUTION**3 // 8,),
                dtype=np.uint8,
                encoding="zlib",
                doc="The 256^3 solid, np.packbits",
            ),
            "views": tfds.features.Sequence(
                tfds.features.Image(shape=(None, None, 4), encoding_format="png"),
                doc="RGBA, transparent background",
            ),
            "cameras": tensor(shape=(None, 4), dtype=np.float32, doc=camera),
            "center": tensor(shape=(3,), dtype=np.float32, doc="cube = scale * (source - center)"),
            "scale": tfds.features.Scalar(dtype=np.float32, doc="Cube units per unit of the source"),
            **points,
        }
    )
