"""The size of a view, and the reduction of its samples to pixels."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8

from imfield_jax.framing import RENDERED_SIZE

VIEW_SIZE = RENDERED_SIZE
SAMPLES = 4  # per pixel and axis


def resolve(samples: Float32[np.ndarray, "rows columns 4"]) -> UInt8[np.ndarray, "rows//4 columns//4 4"]:
    """Mean of each pixel's samples, with straight alpha.

    samples: premultiplied RGBA in [0, 255], 4 x 4 per pixel. Averaging premultiplied
    colours keeps the background from bleeding into the silhouette.
    """
    height, width = samples.shape[0] // SAMPLES, samples.shape[1] // SAMPLES
    rows = samples.reshape(height, SAMPLES, -1).sum(axis=1)
    columns = rows.reshape(height, width, SAMPLES, 4)
    sums = sum(columns[:, :, i] for i in range(SAMPLES))  # faster than a strided sum
    pixels = np.rint(sums / SAMPLES**2).astype(np.uint8)
    covered = pixels[..., 3] > 0
    alpha = sums[covered][:, 3:]
    color = np.rint(sums[covered][:, :3] * (255 / alpha))
    pixels[covered, :3] = np.clip(color, 0, 255).astype(np.uint8)
    pixels[~covered] = 0
    return pixels
