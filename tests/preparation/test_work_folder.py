"""Work folders of earlier versions: resumed if their records are equal, otherwise refused."""

from __future__ import annotations

import json

import pytest

from imfield_jax.preparation.records import Preparation, make_records

# As written by version 0.1.0, which could also render views with OpenGL.
BEFORE = {"format": 1, "source": "folder", "category": "car", "labels": "exact", "views": 24, "seed": 0}


@pytest.mark.parametrize(
    ("renderer", "why"),
    [
        ("ray", "expected mesh files"),  # the work folder is accepted, the empty source is not
        ("auto", "expected renderer=auto, with which it was started, found renderer=ray: choose another --out"),
        ("gl", "expected renderer=gl, with which it was started, found renderer=ray: choose another --out"),
    ],
)
def test_work_folders_with_views_rendered_by_opengl_are_refused(tmp_path, renderer, why):
    meshes, work = tmp_path / "meshes", tmp_path / "out" / "work"
    meshes.mkdir()
    work.mkdir(parents=True)
    settings = BEFORE | {"renderer": renderer, "source_dir": str(meshes)}
    (work / "settings.json").write_text(json.dumps(settings))
    preparation = Preparation("folder", "car", str(tmp_path / "out"), source_dir=str(meshes))
    with pytest.raises(ValueError, match=why), make_records(preparation):
        pass
    assert json.loads((work / "settings.json").read_text()) == settings
