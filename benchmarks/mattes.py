"""What GrabCut and strokes do to the mattes of our network, on composed pictures, whose mattes are known.

    pip install opencv-python-headless
    python -m benchmarks.mattes --data=data/real_car,data/real_chair --photos=FOLDER

The pictures are those that `train_matte` learns from, of test shapes, with parts of any photographs as backgrounds.
GrabCut starts from the network's matte: what is surely object or background (beyond --sure) stays, the rest is decided
by the colours of both and by the edges between pixels. Ours is the one that `extract` uses. The strokes are those of a
person who marks the middle of the largest wrong part, looks, and marks the next one; beside them, what the mattes would
be if strokes changed only what they cover.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import jax
import numpy as np
from absl import flags
from scipy import ndimage

from imfield_jax.commands.entry import run
from imfield_jax.dataset.material import image_files, parts, renderings
from imfield_jax.dataset.mixture import open_mixture
from imfield_jax.evaluation.summary import bootstrap
from imfield_jax.inference.image_file import SUFFIXES_OF, open_image
from imfield_jax.inference.learned_matte import SHIPPED, LearnedMatte
from imfield_jax.inference.scribbles import corrected
from imfield_jax.training.matting import Material, pictures

_DATA = flags.DEFINE_list("data", None, "Prepared datasets whose test shapes are the objects.", required=True)
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of photographs, searched with its subfolders.", required=True)
_MATTE = flags.DEFINE_string(
    "matte", str(SHIPPED), "The network, a matte.npz of train_matte; default: the shipped one."
)
_PICTURES = flags.DEFINE_integer("pictures", 256, "Pictures to compose.", lower_bound=2)
_SURE = flags.DEFINE_list("sure", ["0.6", "0.9", "0.99"], "Certainties beyond which OpenCV's changes nothing.")
_STROKES = flags.DEFINE_list("strokes", ["1", "3", "5"], "Numbers of strokes to correct a matte with.")
_PARTS, _VIEWS, _ROUNDS = 4, 6, 5
_SMALLEST, _LARGEST = 1.5, 4.0  # radius of a stroke in pixels, of 128; smaller parts are not worth one


def main() -> None:
    material = _material()
    images, truths = pictures(material, _PICTURES.value, jax.random.key(0, impl="rbg"))
    matte_of, cleaned = LearnedMatte(_MATTE.value, raw=True), LearnedMatte(_MATTE.value)
    found: dict[str, list[float]] = {}
    for image, truth in zip(np.asarray(images), np.asarray(truths) > 0.5, strict=True):
        rgb = np.round(255 * image).astype(np.uint8)
        matte = matte_of(rgb)
        found.setdefault("network", []).append(_iou(matte > 0.5, truth))
        clean = cleaned(rgb)
        found.setdefault("with our GrabCut", []).append(_iou(clean > 0.5, truth))
        for count, said in enumerate(strokes(rgb, clean, truth, max(map(int, _STROKES.value))), start=1):
            if str(count) in _STROKES.value:
                covered = np.where(said == 0, clean > 0.5, said > 0)
                found.setdefault(f"and {count} strokes", []).append(_iou(corrected(rgb, clean, said) > 0.5, truth))
                found.setdefault(f"and only what {count} strokes cover", []).append(_iou(covered, truth))
        for sure in _SURE.value:
            found.setdefault(f"with OpenCV's GrabCut, sure from {sure}", []).append(
                _iou(opencv(rgb, matte, float(sure)), truth)
            )
    print(
        f"{_PICTURES.value} pictures\n\n| matte | IoU | above 0.8 | gain over the network |\n| --- | --- | --- | --- |"
    )
    for name, ious in found.items():
        gain = bootstrap(np.subtract(ious, found["network"]))
        share = np.mean(np.array(ious) > 0.8)
        print(f"| {name} | {np.mean(ious):.3f} | {share:.0%} | {gain.mean:+.3f} [{gain.low:.3f}, {gain.high:.3f}] |")


def strokes(rgb: np.ndarray, matte: np.ndarray, truth: np.ndarray, count: int) -> Iterator[np.ndarray]:
    """The scribbles after each stroke."""
    said, now = np.zeros(truth.shape, np.int8), matte
    rows, columns = np.ogrid[: truth.shape[0], : truth.shape[1]]
    for _ in range(count):
        depth = ndimage.distance_transform_edt(np.pad((now > 0.5) != truth, 1))[1:-1, 1:-1]
        row, column = np.unravel_index(depth.argmax(), depth.shape)
        if depth.max() > _SMALLEST:
            radius = min(depth.max(), _LARGEST) - 0.5
            said[np.hypot(rows - row, columns - column) <= radius] = 1 if truth[row, column] else -1
            now = corrected(rgb, matte, said)
        yield said.copy()


def opencv(rgb: np.ndarray, matte: np.ndarray, sure: float) -> np.ndarray:
    """The matte after OpenCV's GrabCut, of pixels that are object or not."""
    mask = np.where(matte > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    mask[matte > sure] = cv2.GC_FGD
    mask[matte < 1 - sure] = cv2.GC_BGD
    if not ((mask & 1).any() and (~mask & 1).any()):  # it needs pixels of both
        return matte > 0.5
    cv2.setRNGSeed(0)
    colors = np.zeros((2, 1, 65))
    cv2.grabCut(rgb[..., ::-1].copy(), mask, None, *colors, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return (mask & 1).astype(bool)


def _material() -> Material:
    suffixes = [suffix for endings in SUFFIXES_OF.values() for suffix in endings]
    photos = [open_image(file).image for file in image_files(Path(_PHOTOS.value).expanduser(), suffixes)]
    return Material(renderings(open_mixture(_DATA.value, "test"), _VIEWS, 0), parts(photos, _PARTS, 0))


def _iou(found: np.ndarray, truth: np.ndarray) -> float:
    return float((found & truth).sum() / max((found | truth).sum(), 1))


if __name__ == "__main__":
    run(sys.modules[__name__])
