"""Isolate the object in RGBA pixels: make background, frames and shadows transparent, and note what is doubtful."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, UInt8
from scipy import ndimage
from skimage import morphology

from imfield_jax.framing import FAINTEST, OPAQUE, bounding_box, object_pixels
from imfield_jax.inference.backdrop import object_mask
from imfield_jax.inference.scribbles import Scribbles, corrected
from imfield_jax.inference.shadow import shadow_in_alpha

MIN_OBJECT = 8  # pixels
FEW_PIXELS = 64
HAZE = 32  # pixels of at most this alpha belong to the object only beside more opaque ones
HAZY = 0.05  # fraction of the object's pixels; more haze than this is reported in a note
RECTANGLE = 0.5, 0.9  # of the bounding box's sides and area: a rectangle, even with rounded corners, fills more
FRAMED = 0.8  # an opaque rectangle that fills more of the image than this is a photograph
IN_FRAME = 0.5  # a rectangle that fills more of a photograph than this may be a photograph in a frame
ALL_AROUND = 0.95  # no object covers more of an image's border than this fraction
CONVEX = 0.985  # of its convex hull: a photograph that was cropped to a circle or rotated fills more
MUCH_FAINT = 0.1  # of the opaque pixels; more faint pixels than this far from them may not be the object
SEPARATE = 0.2  # fraction of the opaque pixels; a larger part that lies apart is another object
SURE = 0.2, 0.8  # a network's matte below the first is background, above the second object; between, it is unsure
ONE_COLOR = 8  # of 255: a network that is shown smaller differences than these speaks of its own noise
RIM = 3  # pixels around an object that a network may call half background
UNSURE = 0.1  # of the object's pixels; more pixels that a network is unsure about than this make a doubtful matte
AUTO, ALPHA, BORDER, MODEL = MATTES = ("auto", "alpha", "border", "model")
Matting = Callable[[UInt8[np.ndarray, "H W 3"]], Float[np.ndarray, "H W"]]
HOW_TO_CUT_OUT = (
    "cut the object out and save it as PNG with transparency, or photograph it in front of a plain background"
)


def find_object(
    rgba: UInt8[np.ndarray, "H W 4"],
    matte: str | Matting = AUTO,
    model: Matting | None = None,
    scribbles: Scribbles | None = None,
) -> tuple[UInt8[np.ndarray, "H W 4"], list[str]]:
    """The same pixels with all but the object transparent, and notes for the user; straight alpha.

    matte: "alpha" is the image's transparency, "border" what differs from a plain background, "model" what our matting
           network takes for the object, "auto" the first of these that the image allows; or another network from RGB
           to a matte in [0, 1], whatever the transparency.
    model: our matting network. Without it, "auto" allows transparency and plain backgrounds only.
    scribbles: what a person says about pixels, to correct the matte, or to start with where it shows no object.

    Raises ValueError when there is no object, when it is too small, or when its background cannot be removed.
    """
    if scribbles is None:
        found, notes = _found(rgba, matte, model)
    else:
        found, notes = _corrected(rgba, matte, model, scribbles)
    return found, notes + _describe(found)


def _found(rgba: np.ndarray, matte: str | Matting, model: Matting | None) -> tuple[np.ndarray, list[str]]:
    """The object by a way of telling it from its background."""
    if matte == BORDER:
        rgba, notes = _cut_out(rgba, np.ones(rgba.shape[:2], bool))
    elif matte == ALPHA:
        if rgba[..., 3].min() >= OPAQUE:
            raise ValueError(f"the image has no transparency; {HOW_TO_CUT_OUT}, or allow other mattes than alpha")
        rgba, notes = _by_alpha(rgba)
    elif matte == AUTO:
        rgba, notes = _by_alpha_or_border(rgba, model)
    elif matte == MODEL and model is not None:
        rgba, notes = _by_network(rgba, model)
    elif callable(matte):
        rgba, notes = _by_network(rgba, matte)
    else:
        raise ValueError(f"matte: expected {', '.join(MATTES)} or a network, found {matte!r}")
    return rgba, notes


def _corrected(
    rgba: np.ndarray, matte: str | Matting, model: Matting | None, scribbles: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """The object, corrected by scribbles."""
    try:
        found, notes = _found(rgba, matte, model)
    except ValueError:
        if not (scribbles > 0).any():
            raise
        found, notes = _cleared(rgba, np.ones(rgba.shape[:2], bool)), []
    alpha = corrected(rgba[..., :3], found[..., 3] / np.float32(255), scribbles)
    if not (alpha >= 0.5).any():
        raise ValueError("the scribbles leave no object")
    rgba, _ = _without_faint(np.dstack([rgba[..., :3], np.round(255 * alpha).astype(np.uint8)]))
    return rgba, [*notes, "the cut-out was corrected by hand"]


def _by_network(rgba: np.ndarray, matte: Matting) -> tuple[np.ndarray, list[str]]:
    """The object in the matte of a network. Raises ValueError if the network sees none."""
    if np.ptp(rgba[..., :3], axis=(0, 1)).max() <= ONE_COLOR:
        raise ValueError("the matting network sees no object in an image of one colour")
    alpha = matte(rgba[..., :3])
    if not (alpha >= 0.5).any():
        raise ValueError(f"the matting network sees no object (its matte is at most {alpha.max():.2f})")
    if (extent := _extent_of(alpha >= 0.5)) < MIN_OBJECT:
        raise ValueError(f"the matting network sees no object (only {extent} pixels of one, {MIN_OBJECT} are needed)")
    unsure = (alpha > SURE[0]) & (alpha < SURE[1])
    share = ndimage.binary_opening(unsure, np.ones((5, 5))).sum() / (alpha >= 0.5).sum()  # rims are soft in any case
    near = ndimage.binary_dilation(alpha >= 0.5, np.ones((3, 3)), iterations=RIM)  # beyond, it is likelier background
    rgba, _ = _without_faint(np.dstack([rgba[..., :3], np.round(255 * np.where(near, alpha, 0)).astype(np.uint8)]))
    notes = ["the background was removed by the matting network"]
    if share > UNSURE:
        notes.append(f"the matting network is unsure about an area of {share:.0%} of the object: check the cut-out")
    return rgba, notes


def _by_alpha(rgba: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The object in the image's transparency, without haze and shadows."""
    rgba, notes = _without_faint(rgba)
    shadow = shadow_in_alpha(rgba)
    if shadow.any():
        rgba, _ = _without_faint(_cleared(rgba, shadow))
        rgba = _cleared(rgba, ~object_pixels(rgba[..., 3]))  # where the shadow fades out, too
        notes = ["a soft shadow or halo in the image's alpha channel was removed"]
    return rgba, notes


def _by_alpha_or_border(rgba: np.ndarray, model: Matting | None) -> tuple[np.ndarray, list[str]]:
    """The object in the image's transparency; the opaque part is a photograph if it has the outline of one."""
    rgba, notes = _by_alpha(rgba)
    area = rgba[..., 3] >= OPAQUE
    _extent(area)
    if _is_rectangle(area):
        rgba, more = _of_rectangle(rgba, area, model)
        notes += more
    elif _is_convex(area):
        with contextlib.suppress(ValueError):  # then it is a round object, not a photograph
            rgba, more = _cut_out(rgba, area)
            notes += more
    elif np.concatenate([area[0], area[-1], area[:, 0], area[:, -1]]).mean() > ALL_AROUND:
        raise ValueError("opaque pixels run all around the image: its transparency seems to be inverted")
    return rgba, notes


def _of_rectangle(rgba: np.ndarray, area: np.ndarray, model: Matting | None) -> tuple[np.ndarray, list[str]]:
    """The object of a photograph, or the rectangle itself if it is small and no object can be cut out of it."""
    try:
        return _cut_out(rgba, area)
    except ValueError as error:
        if area.mean() > FRAMED:
            if model is None:
                raise
            try:
                return _by_network(rgba, model)
            except ValueError as unseen:
                raise ValueError(f"{error}; {unseen}") from None
        return rgba, [
            "the opaque pixels are a rectangle, treated as the object: if it is a photograph, cut its object out"
        ]


def _without_faint(rgba: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Only the pixels of the object (see `object_pixels`), without haze except on antialiased rims; and notes."""
    alpha = rgba[..., 3]
    if not (alpha >= OPAQUE).any():
        raise ValueError(f"the image is entirely transparent (alpha is at most {alpha.max()}, {OPAQUE} is needed)")
    mask = object_pixels(alpha)
    rim = ndimage.binary_dilation(mask & (alpha > HAZE), np.ones((3, 3)), iterations=2)
    haze = (alpha > FAINTEST) & ~(mask & rim)
    much = haze.sum() > HAZY * mask.sum()
    notes = [f"faint pixels (alpha up to {alpha[haze].max()} of 255) around the object were removed"] if much else []
    return _cleared(rgba, haze), notes


def _cleared(rgba: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The same pixels, transparent where the mask is."""
    return np.dstack([rgba[..., :3], np.where(mask, 0, rgba[..., 3])])


def _is_rectangle(area: np.ndarray) -> bool:
    """Whether an area fills a rectangle, possibly with rounded corners, like a photograph in a transparent frame."""
    left, top, right, bottom = bounding_box(area)
    box = area[top:bottom, left:right]
    sides = min(side.mean() for side in (box[0], box[-1], box[:, 0], box[:, -1]))
    return bool(sides >= RECTANGLE[0] and box.mean() >= RECTANGLE[1])


def _is_convex(area: np.ndarray) -> bool:
    return bool(area.sum() >= CONVEX * morphology.convex_hull_image(area).sum())


def _cut_out(rgba: np.ndarray, area: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The object of a photo that fills an area, and notes. Raises ValueError if the background cannot be removed."""
    left, top, right, bottom = bounding_box(area)
    box = np.s_[top:bottom, left:right]
    mask = np.zeros_like(area)
    try:
        mask[box], notes = object_mask(rgba[box][..., :3], area[box])
    except ValueError as error:
        raise ValueError(f"{error}; {HOW_TO_CUT_OUT}") from None
    if mask[box].mean() > IN_FRAME and _is_rectangle(mask):
        notes.append("the foreground is a rectangle: if it is a photograph in a frame, crop the image to it")
    return np.dstack([rgba[..., :3], np.where(mask, 255, 0).astype(np.uint8)]), notes


def _extent(opaque: np.ndarray) -> int:
    """The longer side of the object's bounding box in pixels. Raises ValueError when it is too small."""
    extent = _extent_of(opaque)
    if extent < MIN_OBJECT:
        raise ValueError(f"its object is {extent} pixels large, {MIN_OBJECT} or more are needed; crop closer")
    return extent


def _extent_of(opaque: np.ndarray) -> int:
    left, top, right, bottom = bounding_box(opaque)
    return max(right - left, bottom - top)


def _describe(rgba: np.ndarray) -> list[str]:
    """Notes on the object. Raises ValueError when it is too small."""
    opaque = rgba[..., 3] >= OPAQUE
    extent, notes = _extent(opaque), []
    if extent < FEW_PIXELS:
        notes.append(f"the object is only {extent} pixels large: expect few details")
    borders = {"top": opaque[0], "bottom": opaque[-1], "left": opaque[:, 0], "right": opaque[:, -1]}
    cut = [side for side, border in borders.items() if border.sum() > 0.2 * extent]
    if cut:
        notes.append(f"the object reaches the edge of the image ({', '.join(cut)}): it may be cut off")
    if np.percentile(rgba[opaque][:, :3].max(axis=-1), 5) > 240:
        notes.append("the object is almost white, like the background that the network sees: its outline may be lost")
    faint = object_pixels(rgba[..., 3]) & ~ndimage.binary_dilation(opaque, iterations=3)
    if faint.sum() > MUCH_FAINT * opaque.sum():
        notes.append("a large part has alpha below 128 and is kept: if it is a floor or a shadow, not glass, erase it")
    if _is_several(opaque):
        notes.append("several separate objects are in the image: they are treated as one; crop to the one you want")
    return notes


def _is_several(opaque: np.ndarray) -> bool:
    """Whether two large parts lie apart, so that a row or a column of pixels between them is empty."""
    parts, _ = ndimage.label(opaque, np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())[1:]
    large = [box for box, size in zip(ndimage.find_objects(parts), sizes, strict=True) if size > SEPARATE * sizes.sum()]
    return any(_apart(one, other) for one in large for other in large)


def _apart(one: tuple[slice, slice], other: tuple[slice, slice]) -> bool:
    return any(a.stop < b.start for a, b in zip(one, other, strict=True))
