"""The camera of a view, for models that predict cameras and for those that do not."""

from __future__ import annotations

import functools

import numpy as np
from jaxtyping import Float, Float32, UInt8

from imfield_jax.framing import to_unit
from imfield_jax.inference.model import SHIPPED, Model
from imfield_jax.models.weights import load_weights

_FRAMED = ("fit", "matte", "colour")  # framings that show the same square of an image


def check_framed(model: Model, what: str) -> None:
    """Raises ValueError if the views of a model are not those whose camera can be told. what: needs the camera."""
    if model.inputs.framing not in _FRAMED:
        raise ValueError(
            f"{what}: the framing {model.inputs.framing!r} of preset {model.weights.networks.preset.name} does not "
            "centre the object, as the network that finds the camera needs it"
        )


def camera_of(rgba: UInt8[np.ndarray, "H W 4"], predicted: Float[np.ndarray, " 7"] | None) -> Float32[np.ndarray, " 7"]:
    """The camera that a model predicted for the view of an image; if None, that of the shipped weights `any`."""
    if predicted is None:
        model = _camera_model()
        found = model.encode_views_in_full(to_unit(model.view(rgba))[None]).camera
        assert found is not None
        predicted = np.asarray(found)[0]
    return np.asarray(predicted, np.float32)


@functools.cache
def _camera_model() -> Model:
    return Model(load_weights(SHIPPED / "any.npz"))
