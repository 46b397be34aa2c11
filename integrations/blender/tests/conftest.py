"""A Blender without a display, with the extension installed from its zip, and the server of the environment.

$IMFIELD_ADDRESS, $IMFIELD_TOKEN: of a running server with the weights `any`.
$IMFIELD_ENVIRONMENT: a Python environment with imfield_jax.   $IMFIELD_PICTURES: a folder with car.png.
`tests/integrations/test_blender.py` sets them and runs these tests.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp()  # before Blender is loaded

import bpy
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from build import build

PACKAGE = "bl_ext.user_default.imfield_base_mesh"


@pytest.fixture(scope="session", autouse=True)
def extension(tmp_path_factory):
    made = build(tmp_path_factory.mktemp("zip"))
    bpy.ops.extensions.package_install_files(filepath=str(made), repo="user_default", enable_on_install=True)
    yield bpy.context.preferences.addons[PACKAGE]
    bpy.ops.preferences.addon_disable(module=PACKAGE)
    shutil.rmtree(os.environ["BLENDER_USER_RESOURCES"])


@pytest.fixture
def preferences(extension):
    """The extension's, as the server of these tests wants them."""
    chosen = extension.preferences
    chosen.address, chosen.token = os.environ["IMFIELD_ADDRESS"], os.environ["IMFIELD_TOKEN"]
    chosen.environment = ""
    return chosen


@pytest.fixture
def settings(preferences):
    """The panel's in an empty scene, with the sample car in low resolution."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    chosen = bpy.context.scene.imfield_base_mesh
    chosen.filepath = str(pictures() / "car.png")
    chosen.resolution = 48
    bpy.ops.ed.undo_push(message="start")
    return chosen


def pictures() -> Path:
    return Path(os.environ["IMFIELD_PICTURES"])


@pytest.fixture
def snapshot():
    """Everything in the Blender file that these operators could change."""

    def taken():
        scene, kinds = bpy.context.scene, ("objects", "meshes", "materials", "images", "cameras", "collections")
        names = {kind: sorted((each.name, each.users) for each in getattr(bpy.data, kind)) for kind in kinds}
        render = scene.render.image_settings
        places = {each.name: [tuple(row) for row in each.matrix_world] for each in bpy.data.objects}
        return names, places, render.file_format, render.color_mode, render.color_depth

    return taken


@pytest.fixture
def refused(snapshot):
    """(operator) -> the message with which it ends; the Blender file has not changed."""

    def message(operator):
        before = snapshot()
        with pytest.raises(RuntimeError) as caught:
            operator()
        assert snapshot() == before
        [line] = str(caught.value).strip().splitlines()
        return line.removeprefix("Error: ")

    return message


@pytest.fixture(scope="session")
def modules(extension):
    """The extension's modules, by name."""
    return lambda name: sys.modules[f"{PACKAGE}.{name}"]
