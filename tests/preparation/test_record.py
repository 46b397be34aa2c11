"""Records of one shape: requirements are checked before any work is done."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from imfield_jax.preparation.record import Settings, make_record
from imfield_jax.sources.scene import Part, Scene
from imfield_jax.sources.shape import Shape


def triangle() -> Scene:
    return Scene((Part(np.eye(3), np.array([[0, 1, 2]])),))


def test_a_machine_without_embree_is_named_in_one_line(monkeypatch):
    monkeypatch.delitem(sys.modules, "embreex", raising=False)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    with pytest.raises(ValueError, match=r"^solids and views need the package embreex, which is not installed"):
        make_record(Shape("a/b", "train", triangle), Settings(views=1))
