"""STL as text and as binary, in the forms that tools write."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import trimesh

from imfield_jax.sources.formats.meshfile import load_scene

BOX = np.array(trimesh.creation.box((1, 2, 3)).triangles)


def stl(solids=1, upper=False, binary=False):
    if binary:
        body = b"".join(bytes(12) + corners.astype("<f4").tobytes() + b"\1\2" for corners in BOX)
        return b"solid of facets".ljust(80) + struct.pack("<I", len(BOX)) + body
    text = "".join(
        "solid Küche\n"
        + "".join(
            " facet normal 0 0 1\n  outer loop\n"
            + "".join(f"   vertex {x:.6e} {y:.6e} {z:.6e}\n" for x, y, z in corners)
            + "  endloop\n endfacet\n"
            for corners in BOX
        )
        + "endsolid Küche\n"
        for _ in range(solids)
    )
    return (text.upper() if upper else text).encode("latin-1")


@pytest.mark.parametrize(
    ("contents", "faces"),
    [
        (stl(), 12),
        (stl(upper=True), 12),
        (stl(solids=3), 36),
        (stl().decode("latin-1").encode("utf-16"), 12),
        (stl().replace(b"\n", b"\r\n"), 12),
        (stl().replace(b"\n", b"\r"), 12),
        (stl().replace(b"\n", b" "), 12),
        (stl(binary=True), 12),
        (stl(binary=True) + b"\0" * 7, 12),
        (stl(binary=True) + b"made by a tool that writes a comment here", 12),
    ],
)
def test_all_forms_of_stl_are_read(contents, faces, tmp_path):
    path = tmp_path / "a.stl"
    path.write_bytes(contents)
    scene = load_scene(path)
    vertices, found = scene.soup()
    assert len(found) == faces
    np.testing.assert_allclose(np.unique(vertices.round(4), axis=0), np.unique(BOX.reshape(-1, 3), axis=0), atol=1e-4)


@pytest.mark.parametrize("contents", [stl()[:-300], stl()[:-12], stl(binary=True)[:-1], stl(binary=True)[:90]])
def test_a_truncated_stl_is_reported_as_truncated(contents, tmp_path):
    path = tmp_path / "a.stl"
    path.write_bytes(contents)
    with pytest.raises(ValueError, match=r"a\.stl: .*file is truncated"):
        load_scene(path)
