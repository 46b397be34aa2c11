"""Corrections of a cut-out by hand: scribbles on pixels that are the object, or are not, as in GrabCut.

A scribble says something about its own pixels and, less surely, about what surrounds them in the same colour. A
rectangle around the object is the scribble that everything beyond it is background.
"""

from __future__ import annotations

import os

import numpy as np
from jaxtyping import Bool, Float, Float32, Int8, UInt8
from PIL import Image
from scipy import ndimage

from imfield_jax.framing import OPAQUE, bounding_box
from imfield_jax.images import as_rgba
from imfield_jax.inference.grabcut import borders, cut, unlikeliness
from imfield_jax.inference.image_file import Source, name_of, open_image

SIDE = 128  # of the square on which colours are compared
_BORDER = 0.25  # of the weight of borders in `grabcut`, which leaves less undecided
_HABIT = 1.5  # cost of changing a pixel that no scribble names
_ASPECT = 0.02  # relative difference of a picture's and its scribbles' proportions
_TOUCHED = 0.1  # of a larger pixel, that a scribble covers
_WHITE = 128  # brighter scribbles are on the object

Scribbles = Int8[np.ndarray, "H W"]  # 1: the object, -1: background, 0: nothing was said


def read_scribbles(source: Source, size: tuple[int, int]) -> Scribbles:
    """Scribbles in an image: white on the object, black on the background, transparent elsewhere.

    size: width and height of the picture, whose proportions the image must have.
    Raises OSError or ValueError as `open_image`, and ValueError for other proportions or where nothing is said.
    """
    image = open_image(source).image
    name = name_of(source) if isinstance(source, (str, os.PathLike)) else "the scribbles"
    if abs(image.width * size[1] / (image.height * size[0]) - 1) > _ASPECT:
        found = f"{image.width} x {image.height}"
        raise ValueError(f"{name}: expected the proportions of the picture, {size[0]} x {size[1]}, found {found}")
    pixels = np.asarray(as_rgba(image))
    opaque = pixels[..., 3] >= OPAQUE
    if not opaque.any():
        raise ValueError(f"{name}: expected white on the object or black on the background, found only transparency")
    return np.where(opaque, np.where(pixels[..., :3].mean(axis=-1) >= _WHITE, 1, -1), 0).astype(np.int8)


def rectangle(scribbles: Scribbles) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is not said to be background. Raises ValueError if all is."""
    open_to = scribbles >= 0
    if not open_to.any():
        raise ValueError("the scribbles say that the whole picture is background")
    return bounding_box(open_to)


def corrected(
    rgb: UInt8[np.ndarray, "H W 3"], alpha: Float[np.ndarray, "H W"], scribbles: Scribbles
) -> Float32[np.ndarray, "H W"]:
    """A matte in [0, 1] that agrees with scribbles and, where none touches, with the one there was.

    Of the pixels that colours and edges would change with the scribbles, those change that hang together with one; a
    rectangle says nothing about what is inside it.
    """
    small = min(1.0, SIDE / max(alpha.shape))
    height, width = (max(1, round(side * small)) for side in alpha.shape)
    colors = np.stack([_resized(rgb[..., c].astype(np.float32), width, height) for c in range(3)], axis=-1)
    before = _resized(alpha.astype(np.float32), width, height) > 0.5
    change = _change(colors, before, scaled(scribbles, width, height))
    near = ndimage.binary_dilation(change, np.ones((3, 3)), iterations=2)  # the old rim goes, too
    after, place = (_resized(mask.astype(np.float32), *alpha.shape[::-1]) for mask in (before ^ change, near))
    matte = np.where(place > 0.5, after, alpha)
    return np.where(scribbles == 0, matte, scribbles > 0).astype(np.float32)


def _change(
    rgb: Float[np.ndarray, "H W 3"], before: Bool[np.ndarray, "H W"], said: Scribbles
) -> Bool[np.ndarray, "H W"]:
    """The pixels that change sides."""
    inside = np.where(said == 0, before, said > 0)
    costs = [
        np.minimum(unlikeliness(rgb, inside == side), unlikeliness(rgb, said == mark)) + _HABIT * (before != side)
        for side, mark in ((False, -1), (True, 1))
    ]
    pairs, weights = borders(rgb)
    after = cut(np.stack(costs, axis=-1), pairs, _BORDER * weights, inside, said != 0)
    labels, _ = ndimage.label(after != before, np.ones((3, 3)))
    left, top, right, bottom = rectangle(said)
    touched = np.unique(labels[top:bottom, left:right][said[top:bottom, left:right] != 0])
    return np.isin(labels, touched[touched > 0])


def scaled(scribbles: Scribbles, width: int, height: int) -> Int8[np.ndarray, "h w"]:
    """Scribbles for another size of the picture; thin ones stay, and those on the object win."""
    made = np.zeros((height, width), np.int8)
    for side in (-1, 1):
        image = Image.fromarray((scribbles == side).astype(np.float32))
        made[np.asarray(image.resize((width, height), Image.Resampling.BOX)) > _TOUCHED] = side
    return made


def _resized(values: Float[np.ndarray, "H W"], width: int, height: int) -> Float[np.ndarray, "h w"]:
    return np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR))
