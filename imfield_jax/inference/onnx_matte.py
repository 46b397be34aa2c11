"""Mattes from a segmentation network of the user's own in an ONNX file, such as U2-Net, ISNet or BiRefNet.

Such networks take one image [1, 3, H, W], scaled and shifted per channel, and give the object's matte [1, 1, H, W] as
their first output, in [0, 1] or as logits. Files differ in the mean and deviation they expect: those of ImageNet are
the usual ones; ISNet and RMBG-1.4 expect 0.5 and 1, MODNet 0.5 and 0.5.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image
from scipy.special import expit

from imfield_jax.files import damaged, one_line

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIDE = 512  # of networks that take any size; a multiple of 32, as most need


class OnnxMatte:
    """RGB [H, W, 3] uint8 -> matte [H, W] in [0, 1].

    mean, std: per channel, of colours in [0, 1].   about: all that the mattes depend on, for a manifest.

    Raises OSError if the file does not exist, and ValueError if onnxruntime is not installed or the file holds no
    network from one image to one matte.
    """

    def __init__(
        self, path: str | os.PathLike, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD
    ):
        if not os.path.isfile(path):
            raise FileNotFoundError(f"{path} does not exist: expected an ONNX file")
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ValueError(f"mean and std: expected three numbers each, std positive, found {mean} and {std}")
        self.path = os.fspath(path)
        self._session = _session(self.path)
        self._input, self._height, self._width = _image_input(self.path, self._session)
        self._mean, self._std = np.array(mean, np.float32), np.array(std, np.float32)
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        self.about = {"file": Path(path).name, "sha256": digest, "mean": list(mean), "std": list(std)}

    def __call__(self, rgb: UInt8[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W"]:
        """The matte of an image. Raises ValueError if the network's output is not a matte."""
        resized = Image.fromarray(rgb).resize((self._width, self._height), Image.Resampling.BILINEAR)
        scaled = (np.asarray(resized, np.float32) / 255 - self._mean) / self._std
        try:
            outputs = self._session.run(None, {self._input: scaled.transpose(2, 0, 1)[None]})
        except Exception as error:  # onnxruntime's own classes, without a common base: the network does not fit
            raise ValueError(f"{self.path} fails on an image of this size: {one_line(error)}") from error
        matte = np.squeeze(np.asarray(outputs[0], np.float32))
        if matte.ndim != 2 or not np.isfinite(matte).all():
            found = f"found {outputs[0].shape}" if matte.ndim != 2 else "some are not finite"
            raise ValueError(f"{self.path}: expected one matte [1, 1, H, W] as the first output, {found}")
        if matte.min() < 0 or matte.max() > 1:
            matte = expit(matte)
        image = Image.fromarray(matte).resize(rgb.shape[1::-1], Image.Resampling.BILINEAR)
        return np.clip(np.asarray(image), 0, 1)


def _session(path: str) -> Any:
    try:
        import onnxruntime  # optional
    except ImportError:
        raise ValueError(f"{path}: ONNX files need the package onnxruntime: pip install -e '.[onnx]'") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only; they are raised as well
    with damaged(path, "file in ONNX format"):
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _image_input(path: str, session: Any) -> tuple[str, int, int]:
    """Name, height and width of the image that a network takes."""
    inputs = session.get_inputs()
    shapes = ", ".join(f"{item.name} {item.type} {item.shape}" for item in inputs)
    first = inputs[0]
    if len(inputs) != 1 or len(first.shape) != 4 or first.shape[1] != 3 or first.type != "tensor(float)":
        raise ValueError(f"{path}: expected a network with one input, an image [1, 3, H, W] of floats, found {shapes}")
    height, width = (side if isinstance(side, int) else SIDE for side in first.shape[2:])
    return first.name, height, width
