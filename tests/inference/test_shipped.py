"""The weights that ship, on shapes that they were never trained on, from mesh to solid to picture to field."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax import coordinates
from imfield_jax.evaluation.metrics import volumetric_iou
from imfield_jax.framing import to_unit
from imfield_jax.inference.model import SHIPPED, shipped_categories
from imfield_jax.inference.photo import read_image
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.preparation.record import Settings, make_record
from imfield_jax.sources import procedural, shapenet
from imfield_jax.sources.synsets import ANY

UNSEEN = (901, 950)  # of 0 .. 999, whose last hundred are the test split
LEAST_IOU = {"airplane": 0.4, "any": 0.3, "car": 0.8, "chair": 0.4}


@pytest.mark.parametrize("weights", shipped_categories())
def test_an_image_of_an_unseen_shape_becomes_that_shape_and_not_another(weights, tmp_path):
    """Two shapes of a category, or of two categories for the weights that know several."""
    records = []
    for category, index in zip(("car", "airplane") if weights == ANY else (weights, weights), UNSEEN, strict=True):
        procedural.write_model(tmp_path / str(index), category, index)
        [shape] = shapenet.shapes(tmp_path / str(index), category)
        records.append(make_record(shape, Settings(views=1)))
    model = Reconstructor.shipped(weights)
    views = np.stack([to_unit(model.view(record.views[0])) for record in records])
    factor = coordinates.SOLID_RESOLUTION // model.inputs.voxel_size
    voxels = np.stack([coordinates.max_pool(record.solid, factor).astype(np.uint8) for record in records])
    latents = [*model.encode_views(views), *model.encode_voxels(voxels)]

    indices = np.indices((64, 64, 64)).reshape(3, -1).T * 4
    points = coordinates.index_to_point(indices, coordinates.SOLID_RESOLUTION).astype(np.float32)
    truths = [record.solid[tuple(indices.T)] for record in records]
    inside = [model.field(z)(points) > 0 for z in latents]
    ious = np.array([[volumetric_iou(field, truth) for truth in truths] for field in inside])
    from_views, from_voxels = ious[:2], ious[2:]
    assert from_views.argmax(axis=1).tolist() == from_voxels.argmax(axis=1).tolist() == [0, 1]
    assert (from_views.diagonal() > LEAST_IOU[weights]).all()
    assert (from_voxels.diagonal() > from_views.diagonal() - 0.02).all()


@pytest.mark.parametrize("category", ["car", "any"])
def test_the_sample_gets_the_colours_of_its_picture(category):
    """With the camera that the weights predict themselves, or that others predict for them."""
    made = Reconstructor.shipped(category)(SHIPPED / f"{category}.png", 64, color=True)
    assert 0.2 < made.mesh.seen.mean() < 0.7 and made.notes[-1].startswith("colours of ")
    rgba = read_image(SHIPPED / f"{category}.png").rgba
    pixels = made.picture_camera.project(made.mesh.vertices).round().astype(int).clip(0, len(rgba) - 1)
    assert (rgba[pixels[:, 1], pixels[:, 0], 3] > 8).mean() > 0.85  # the mesh lies on the object
    shown = rgba[rgba[..., 3] > 200][:, :3].mean(axis=0)
    assert np.abs(made.mesh.colors.mean(axis=0) - shown).max() < 40
