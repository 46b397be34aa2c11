"""A realistic ShapeNetCore.v2: each model has one quirk, and all are prepared in one run.

What can be prepared has the solid of the clean model and shows its colour; what cannot is a line in the report.
"""

from __future__ import annotations

import dataclasses
import io
import json
import re
import struct

import numpy as np
import pytest
import trimesh
from PIL import Image

from imfield_jax.dataset.storage import open_split, split_names
from imfield_jax.sources import synsets

SYNSET = "02958343"
GREEN = "newmtl paint\nKd 0.4 0.9 0.4\n"  # multiplied with the texture
TEXTURED = GREEN + "map_Kd ../images/texture0.jpg\n"

# A body: x from -0.25 to 0.25, y from -0.15 to 0.15, z from -0.3 to 0.3; its sides outwards, numbered from 1.
CORNERS = [(x, y, z) for x in (-0.25, 0.25) for y in (-0.15, 0.15) for z in (-0.3, 0.3)]
SIDES = [(1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4)]
TRIANGLES = [face for a, b, c, d in SIDES for face in ((a, b, c), (a, c, d))]
HEAD = "mtllib model_normalized.mtl\n"
PLACES = "".join(f"v {x} {y} {z}\n" for x, y, z in CORNERS) + "".join(f"vt {u} {v}\n" for u in (0, 1) for v in (0, 1))
NORMALS = "vn 0 0 1\n" * 6


def faces(polygons=TRIANGLES, corner="{}/{}"):
    """Face lines; `corner` formats vertex and texture vertex."""
    return "".join("f " + " ".join(corner.format(v, 1 + v % 4) for v in face) + "\n" for face in polygons)


def body(places=PLACES, lines=None, head=HEAD, material="usemtl paint\n"):
    return head + places + NORMALS + material + (faces() if lines is None else lines)


def encoded(image, kind="jpeg", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


RED = Image.new("RGB", (16, 16), (210, 30, 30))
LACE = Image.fromarray(np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((8, 8))).astype(np.uint8) * 255)
HOLED = Image.merge("RGBA", [*RED.resize(LACE.size).split(), LACE])
GREY16 = Image.fromarray(np.full((8, 8), 25700, np.uint16))  # 100 of 255
LIES = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**31 - 1) + b"IHDR"


@dataclasses.dataclass(frozen=True)
class Model:
    """A model folder: text or bytes of its OBJ and MTL, None for none, its textures, and the expected colour."""

    obj: str | bytes | None = body()
    mtl: str | bytes | None = TEXTURED
    images: dict[str, bytes] = dataclasses.field(default_factory=lambda: {"texture0.JPG": encoded(RED)})
    color: str = "red"

    def write(self, folder):
        for name, contents in {"model_normalized.obj": self.obj, "model_normalized.mtl": self.mtl}.items():
            if contents is not None:
                (folder / "models").mkdir(parents=True, exist_ok=True)
                written = contents if isinstance(contents, bytes) else contents.encode()
                (folder / "models" / name).write_bytes(written)
        for name, contents in self.images.items():
            (folder / "images").mkdir(parents=True, exist_ok=True)
            (folder / "images" / name).write_bytes(contents)


def texture(reference):
    return Model(mtl=f"{GREEN}map_Kd {reference}\n")


def broken(contents):
    return Model(images={"texture0.JPG": contents}, color="green")


def as_texture(contents):
    return Model(images={"texture0.JPG": contents})


# The clean model's solid, seen in the model's colour.
SOUND = {
    "clean": Model(),
    # Materials.
    "without-mtl": Model(mtl=None, color="grey"),
    "empty-mtl": Model(mtl="", color="grey"),
    "binary-mtl": Model(mtl=bytes(range(256)) * 4, color="grey"),
    "nameless-mtl": Model(body(head=""), color="grey"),
    "other-material": Model(mtl=TEXTURED.replace("paint", "varnish"), color="grey"),
    "colour-only": Model(mtl=GREEN, images={}, color="green"),
    "crlf": Model(body().replace("\n", "\r\n"), TEXTURED.replace("\n", "\r\n")),
    "non-utf8-name": Model(
        (b"# " + b"x" * 2000 + b"\n") + body().encode().replace(b"usemtl paint", b"usemtl caf\xe9"),
        TEXTURED.encode().replace(b"paint", b"caf\xe9"),
    ),
    "alpha-map": Model(mtl=TEXTURED + "map_d ../images/texture0.jpg\nd 1.0\n"),
    "transparency-1-but-opaque": Model(mtl=TEXTURED + "d 1.0\nTr 1.0\n"),
    # Names of textures.
    "windows-path": texture("C:\\tmp\\Texture0.jpg"),
    "absolute-path": texture("/home/me/models/texture0.jpg"),
    "spaces-in-path": dataclasses.replace(texture("../images/a b.jpg"), images={"A b.jpg": encoded(RED)}),
    "folder-path": dataclasses.replace(texture("../"), color="green"),
    "missing-texture": Model(images={}, color="green"),
    # Contents of textures.
    "truncated-texture": broken(encoded(Image.effect_noise((64, 64), 50))[:900]),
    "empty-texture": broken(b""),
    "html-texture": broken(b"<html>404 Not Found</html>"),
    "lying-texture": broken(LIES + bytes(40)),
    "gif-texture": as_texture(encoded(RED, "gif")),
    "cmyk-texture": as_texture(encoded(RED.convert("CMYK"))),
    "palette-texture": as_texture(encoded(RED.convert("P"), "png")),
    "one-pixel-texture": as_texture(encoded(RED.resize((1, 1)), "png")),
    "16-bit-texture": Model(
        mtl="newmtl paint\nKd 1 1 1\nmap_Kd grey.png\n", images={"grey.png": encoded(GREY16, "png")}, color="grey"
    ),
    # Texture vertices.
    "uv-outside": Model(body(PLACES.replace("vt 0", "vt -3.7").replace("vt 1", "vt 41.2"))),
    "uv-nan": Model(body(PLACES.replace("vt 0 0", "vt nan nan")), color="green"),
    "uv-huge": Model(body(PLACES.replace("vt 0 0", "vt 1e300 0")), color="green"),
    "uv-missing": Model(body(lines=faces(corner="{0}//1")), color="green"),
    # Faces.
    "quads": Model(body(lines=faces(SIDES))),
    "mixed-polygons": Model(body(lines=faces([*SIDES[:3], *TRIANGLES[6:]]))),
    "mixed-corners": Model(body(lines=faces(TRIANGLES[:6]) + faces(TRIANGLES[6:], "{0}//1"))),
    "negative-indices": Model(body(lines=faces([[v - 9 for v in face] for face in TRIANGLES], "{0}")), color="green"),
    "relative-indices": Model(
        HEAD
        + "usemtl paint\n"
        + "".join(
            "".join("v {} {} {}\nvt 0 0\n".format(*CORNERS[v - 1]) for v in side) + "f -4/-4 -3/-3 -2/-2 -1/-1\n"
            for side in SIDES
        )
    ),
    "lines-and-points": Model(body(lines="l 1 2\np 3\n" + faces() + "l 4 5 6\ng edges\nl 7 8\n")),
    "groups": Model(body(lines=faces(TRIANGLES[:5]) + "g a\ns off\no b\n" + faces(TRIANGLES[5:]))),
    "duplicate-faces": Model(body(lines=faces(TRIANGLES * 3))),
    "degenerate-faces": Model(body(lines=faces([*TRIANGLES, (1, 1, 2), (3, 3, 3)]))),
    "duplicate-vertices": Model(
        body(PLACES + PLACES, faces([[v + 8 for v in f] for f in TRIANGLES[:6]] + TRIANGLES[6:]))
    ),
    "unused-nan": Model(body(PLACES.replace("vt 0 0", "v nan nan nan\nv 9e9 inf 0\nvt 0 0"))),
}
# The same solid, but transparent.
GLASS = {
    "see-through": Model(mtl=GREEN + "d 0.4\n", images={}, color="green"),
    "see-through-by-tr": Model(mtl=GREEN + "Tr 0.6\n", images={}, color="green"),
    "lace": Model(mtl=GREEN + "map_Kd ../images/lace.png\n", images={"lace.png": encoded(HOLED, "png")}),
}
# Sound, but for a material or a texture that is missing or damaged, which a warning names.
LACKING = {
    "without-mtl",
    "folder-path",
    *(f"{what}-texture" for what in ("missing", "truncated", "empty", "html", "lying")),
}
# The solid is doubtful and must be inspected.
WARNED = {
    "sheet": (Model(body(lines=faces(SIDES[:1]))), "open sheets"),
    "index-outside": (Model(body(lines=faces() + "f 1 2 99\n")), "1 of 13 faces left out"),
    "relative-index-outside": (Model(body(lines=faces() + "f -1 -2 -9\n")), "1 of 13 faces left out"),
    "index-zero": (Model(body(lines=faces() + "f 0 1 2\n")), "1 of 13 faces left out"),
    "at-the-border": (Model(body(PLACES.replace("0.25", "0.6"))), "reaches the border of the cube"),
}
KNOWN = sorted(synsets.WITHOUT_MESH)[0].split("/")[1]
# The reported errors of models that cannot be prepared.
FAILED = {
    "empty": (Model(""), "found a file without triangles"),
    "comments-only": (Model("# nothing\n" * 9), "found a file without triangles"),
    "vertices-only": (Model(PLACES), "found a file without triangles"),
    "texture-vertices-only": (Model("mtllib a.mtl\n" + "vt 0 1\n" * 9), "found a file without triangles"),
    "lines-only": (Model(body(lines="l 1 2 3\n")), "found a file without triangles"),
    "nan-vertex": (Model(body(PLACES.replace("v 0.25 0.15 0.3", "v nan 0.15 0.3"))), "not finite numbers"),
    "infinite-vertex": (Model(body(PLACES.replace("v 0.25 0.15 0.3", "v 1e999 0.15 0.3"))), "not finite numbers"),
    "not-a-number": (Model(body(PLACES.replace("v 0.25 0.15 0.3", "v -1.#IND 0.15 0.3"))), "found a damaged file"),
    "far-away": (Model(body(re.sub(r"0\.25", "2500", PLACES))), "the mesh reaches 2.5e+03 from the origin"),
    "very-far-away": (Model(body(PLACES.replace("0.25", "1e300"))), "with coordinates up to 1e+300: scale it"),
    "one-point": (Model(body(lines=faces([(1, 1, 1)] * 9))), "all vertices of the mesh are the same point"),
    "zero-area": (Model(body(lines=faces([(1, 1, 2), (3, 4, 4)]))), "the mesh has no triangle with an area"),
    "on-one-line": (Model("v 0 0 0\nv 0.1 0 0\nv 0.3 0 0\nf 1 2 3\n"), "no triangle with an area"),
    "pictures-only": (Model(None, None), "found no such file"),
    KNOWN: (Model(None, None), "missing in every copy: ShapeNetCore.v2 has no mesh of this model"),
}
SPLITS = {"clean": "test", "crlf": "val"}


def huge(subdivisions):
    """A ball of radius 0.3 with 20 * 4^subdivisions faces."""
    ball = trimesh.creation.icosphere(subdivisions, 0.3)
    places = "\n".join(f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in ball.vertices)
    return Model("\n".join([places, *(f"f {a} {b} {c}" for a, b, c in ball.faces + 1)]), None, {}, "grey")


@pytest.fixture(scope="module")
def prepared(shared, program):
    """The output folder of one run over all models."""

    def run(folder):
        root = folder / "ShapeNetCore.v2"
        reported = {name: model for name, (model, _) in {**WARNED, **FAILED}.items()}
        for name, model in {**SOUND, **GLASS, **reported, "huge": huge(7)}.items():
            model.write(root / SYNSET / name)
        (root / SYNSET / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
        (root / SYNSET / ".cache").mkdir()
        rows = [f"{i},{SYNSET},{SYNSET},{name},{split}" for i, (name, split) in enumerate(SPLITS.items())]
        (root / "all.csv").write_text("\n".join(["id,synsetId,subSynsetId,modelId,split", *rows]))
        flags = ("--source=shapenet", "--category=car", "--views=2", "--processes=2", f"--out={folder / 'out'}")
        done = program("prepare", f"--source_dir={root}", *flags)
        assert done.returncode == 0, done.stderr
        (folder / "stderr.txt").write_text(done.stderr)

    return shared("shapenet", run)


@pytest.fixture(scope="module")
def report(prepared):
    named = json.loads((prepared / "out" / "report.json").read_text())["shapes"]
    return {name.removeprefix(f"{SYNSET}/"): shape for name, shape in named.items()}


@pytest.fixture(scope="module")
def rows(prepared):
    out = prepared / "out"
    return {row.name.split("/")[1]: row for split in split_names(out) for row in open_split(out, split)}


def colors_of(row):
    """The mean colour of the visible pixels, in [0, 1]."""
    views = np.stack([row.view(number) for number in range(row.view_count)]) / 255
    return (views[..., :3] * views[..., 3:]).sum(axis=(0, 1, 2)) / views[..., 3].sum()


def name_of(color):
    channel = int(np.argmax(color))
    return ("red", "green", "blue")[channel] if color[channel] > 1.5 * np.delete(color, channel).max() else "grey"


def alphas(row):
    return np.stack([row.view(number)[..., 3] for number in range(row.view_count)])


def test_every_model_is_in_the_report_and_nothing_else(report):
    sound = {*SOUND, *GLASS, "huge"}
    expected = {"ok": sound - LACKING, "warned": {*WARNED, *LACKING}, "failed": set(FAILED)}
    assert {status: {n for n, shape in report.items() if shape["status"] == status} for status in expected} == expected
    assert len(report) == sum(map(len, expected.values()))
    assert {name: report[name]["split"] for name in SPLITS} == {"clean": "test", "crlf": "validation"}


@pytest.mark.parametrize("name", FAILED)
def test_meshes_that_cannot_be_prepared_are_reported_in_one_line(name, report):
    error = report[name]["error"]
    assert FAILED[name][1] in error and len(error.splitlines()) == 1 and len(error) < 400


@pytest.mark.parametrize("name", WARNED)
def test_doubtful_solids_are_reported(name, report, rows):
    assert any(WARNED[name][1] in warning for warning in report[name]["warnings"])
    assert rows[name].solid.any()


def test_the_output_has_no_traceback_and_no_library_warnings(prepared):
    log = (prepared / "stderr.txt").read_text()
    assert "Traceback" not in log and "Warning" not in log, log


@pytest.mark.parametrize("name", [*SOUND, *GLASS])
def test_the_solid_is_that_of_the_clean_model_and_the_colour_is_seen(name, rows):
    np.testing.assert_array_equal(rows[name].solid, rows["clean"].solid)
    assert name_of(colors_of(rows[name])) == {**SOUND, **GLASS}[name].color


def test_the_clean_model_is_the_body(rows):
    assert rows["clean"].solid.mean() == pytest.approx(0.5 * 0.3 * 0.6, rel=0.02)


def test_sixteen_bits_keep_their_brightness(rows):
    plain = colors_of(rows["without-mtl"]).mean()  # grey of 0.7
    assert colors_of(rows["16-bit-texture"]).mean() == pytest.approx(plain * 100 / 255 / 0.7, rel=0.1)


def test_glass_is_seen_through_and_lace_has_holes(rows):
    for name in SOUND:
        assert np.median(alphas(rows[name])[alphas(rows[name]) > 0]) == 255
    for name in ("see-through", "see-through-by-tr"):
        seen = alphas(rows[name])
        assert 80 < np.median(seen[seen > 0]) < 230
    assert alphas(rows["lace"]).mean() < 0.95 * alphas(rows["clean"]).mean()


def test_a_huge_mesh_comes_out_right(rows, report):
    assert rows["huge"].solid.mean() == pytest.approx(4 / 3 * np.pi * 0.3**3, rel=0.01)
    assert report["huge"]["diagnostics"]["faces"] == 20 * 4**7
