"""Public bug reports of other systems as tests: every input in `cases/` gives the right result.

`cases/reference.png` is the object of the other images, `cases/boxes/box.obj` the solid of the other mesh files.
Reports that concern whole commands are tested in `experiments/`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imfield_jax.dataset.prepare import prepare
from imfield_jax.dataset.storage import open_split, split_names
from imfield_jax.framing import frame
from imfield_jax.inference.photo import list_images, read_image
from imfield_jax.interchange import occupancy_networks
from imfield_jax.preparation.record import Settings, make_record
from imfield_jax.preparation.records import Preparation
from imfield_jax.sources.formats.meshfile import load_scene
from imfield_jax.sources.shape import Shape

CASES = Path(__file__).parent / "cases"
AS_REFERENCE = (
    "two_faint_pixels.png",  # microsoft/TRELLIS#186: alpha of a few units far from the object
    "soft_shadow_in_alpha.png",  # microsoft/TRELLIS#76: a shadow becomes geometry
    "transparent_frame.png",  # flowtyone/ComfyUI-Flowty-TripoSR#56: the background becomes geometry
    "small_in_large.png",  # autonomousvision/occupancy_networks#74: reduced before it was cropped
    "with_avif/two.avif",  # open-webui/open-webui#9600
)
AS_BOX = (
    "mixed_polygons.ply",  # mikedh/trimesh#1911
    "tabs.obj",  # cnr-isti-vclab/meshlab#267
    "latin1_object_name.obj",  # mikedh/trimesh#475
    "opaque_alpha0.glb",  # mrdoob/three.js#15483: alpha counts in MASK and BLEND only
    "trailing_bytes.stl",  # mikedh/trimesh#1720
)


def view_of(name: str) -> np.ndarray:
    return frame(read_image(CASES / name).rgba, "fit")[..., 0].astype(int)


def record_of(name: str):
    return make_record(Shape(name, "test", lambda: load_scene(CASES / name)), Settings(views=2, labels="exact"))


@pytest.fixture(scope="module")
def box():
    return record_of("boxes/box.obj")


@pytest.mark.parametrize("name", AS_REFERENCE)
def test_the_network_sees_the_object_and_nothing_else(name):
    difference = np.abs(view_of(name) - view_of("reference.png"))
    # Removing a shadow removes a rim of two pixels too and moves the object by one. With its shadow it differs by 32.
    assert difference.mean() < 4 and (difference > 40).mean() < 0.02


def test_several_objects_are_noted():
    assert any("object" in note for note in read_image(CASES / "two_cars.png").notes)
    assert not any("several" in note or "objects" in note for note in read_image(CASES / "reference.png").notes)


def test_every_image_of_a_folder_is_read(tmp_path):
    images, left_out = list_images([CASES / "with_avif"])
    assert [image.name for image in images] == ["one.png", "two.avif"] and not left_out


@pytest.mark.parametrize("name", AS_BOX)
def test_the_solid_is_that_of_the_box(name, box):
    record = record_of(name)
    assert np.array_equal(record.solid, box.solid)
    assert (record.views[..., 3].max(axis=(1, 2)) == 255).all()


def test_concave_polygons_equal_manually_triangulated_ones():
    """mikedh/trimesh#2519: polygons become fans that cross a concave corner."""
    scenes = [load_scene(CASES / folder / "a.obj") for folder in ("ngon", "ngon_cut")]
    records = [
        make_record(Shape("n/a", "test", lambda scene=scene: scene), Settings(views=4, labels="exact"))
        for scene in scenes
    ]
    assert np.array_equal(records[0].solid, records[1].solid)
    assert np.abs(records[0].views.astype(int) - records[1].views).max() <= 1


def test_compressed_geometry_is_named():
    """mikedh/trimesh#2101; there is no Draco data in this file."""
    with pytest.raises(ValueError, match=r"draco\.glb.*[Dd]raco"):
        load_scene(CASES / "draco.glb")


def test_bulky_solids_survive_the_layout_of_occupancy_networks(tmp_path):
    """autonomousvision/occupancy_networks#15: points inside are labelled outside."""
    settings = Settings(labels="exact", views=1)
    source = {"category": "boxes", "count": 0, "settings": settings}
    data = prepare(Preparation(source="folder", source_dir=str(CASES / "boxes"), out=str(tmp_path / "a"), **source))
    splits = {name: open_split(data, name) for name in split_names(data)}
    occupancy_networks.write(splits, tmp_path / "b")
    back = prepare(
        Preparation(source="occupancy_networks", source_dir=str(tmp_path / "b"), out=str(tmp_path / "c"), **source)
    )
    solids = {row.name: row.solid for split in splits.values() for row in split}
    found = {row.name: row.solid for name in split_names(back) for row in open_split(back, name)}
    assert found.keys() == solids.keys() and len(solids) == 2
    for name, solid in solids.items():
        assert (solid & found[name]).sum() / (solid | found[name]).sum() > 0.97
