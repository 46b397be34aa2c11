"""Work folders made by earlier versions: gone on with where their records are the same, refused where not."""

from __future__ import annotations

import json

import pytest

from imfield_jax.preparation.records import Preparation, make_records

# As version 0.1.0 wrote it while views could be drawn by OpenGL too.
BEFORE = {"format": 1, "source": "folder", "category": "car", "labels": "exact", "views": 24, "seed": 0}


@pytest.mark.parametrize(
    ("renderer", "why"),
    [
        ("ray", "expected mesh files"),  # past the work folder, and on to the empty source
        ("auto", "started with renderer=auto, and now it is renderer=ray: choose another --out"),
        ("gl", "started with renderer=gl, and now it is renderer=ray: choose another --out"),
    ],
)
def test_work_folders_with_views_drawn_by_opengl_are_refused(tmp_path, renderer, why):
    meshes, work = tmp_path / "meshes", tmp_path / "out" / "work"
    meshes.mkdir()
    work.mkdir(parents=True)
    settings = BEFORE | {"renderer": renderer, "source_dir": str(meshes)}
    (work / "settings.json").write_text(json.dumps(settings))
    preparation = Preparation("folder", "car", str(tmp_path / "out"), source_dir=str(meshes))
    with pytest.raises(ValueError, match=why), make_records(preparation):
        pass
    assert json.loads((work / "settings.json").read_text()) == settings
