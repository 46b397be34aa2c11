"""Conversion between stored sRGB values and linear light (IEC 61966-2-1).

Colours of parts are sRGB, as in images, but in [0, 1]. glTF's factors and vertex colours are linear and are encoded on
reading. Colours are multiplied in linear light.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def linear(stored: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Linear light of sRGB values, both in [0, 1]."""
    stored = np.asarray(stored)
    return np.where(stored <= 0.04045, stored / 12.92, ((np.maximum(stored, 0.04045) + 0.055) / 1.055) ** 2.4)


def stored(light: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """sRGB values of linear light, both in [0, 1]: the inverse of `linear`."""
    light = np.clip(light, 0, 1)
    curve = 1 + 1.055 * (np.maximum(light, 0.0031308) ** (1 / 2.4) - 1)  # exactly 1 for white
    return np.where(light <= 0.0031308, light * 12.92, curve)


def product(first: Float[np.ndarray, " ..."], second: Float[np.ndarray, " ..."]) -> Float[np.ndarray, " ..."]:
    """Two sRGB colours multiplied in linear light: a surface of the first colour behind a filter of the second."""
    return stored(linear(first) * linear(second))
