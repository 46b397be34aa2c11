"""Our files in the programs that they are for: a slicer takes them, and Khronos' validator finds no fault in them.

The slicer is PrusaSlicer (Debian: `apt install prusa-slicer`); the validator is installed by npm into .cache. Where one
is missing, its tests are skipped, and the end of the test run says so.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from imfield_jax.inference.model import SHIPPED
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.mesh.export import Style, encode, export
from imfield_jax.mesh.print_check import print_check
from imfield_jax.mesh.simplify import simplified
from imfield_jax.mesh.texture import textured

SLICER = shutil.which("prusa-slicer")
needs_slicer = pytest.mark.skipif(SLICER is None, reason="NO SLICER: no file was sliced")
ROOT = Path(__file__).resolve().parents[2]
VALIDATOR = ROOT / ".cache" / "gltf-validator"
VALIDATE = """
const validator = require("gltf-validator"), bytes = require("fs").readFileSync(0);
validator.validateBytes(new Uint8Array(bytes)).then((report) => console.log(JSON.stringify(report)));
"""
LAYER = 0.3  # mm


@pytest.fixture(scope="module")
def made():
    """The car of the sample image, with colours and the camera."""
    return Reconstructor.shipped("any")(SHIPPED / "car.png", 64, color=True)


def sliced(*arguments) -> str:
    done = subprocess.run([SLICER, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_slicer
@pytest.mark.parametrize("file_format", ["stl", "3mf"])
@pytest.mark.parametrize("max_faces", [None, 2000])
def test_a_slicer_sees_what_the_print_check_says(made, file_format, max_faces, tmp_path):
    mesh = made.mesh if max_faces is None else simplified(made.mesh, max_faces)
    file, expected = tmp_path / f"car.{file_format}", print_check(mesh, 120)
    export(mesh, file, Style(size_mm=120))
    found = dict(re.findall(r"^(\w+) = +(\S+)$", sliced("--info", file), re.MULTILINE))
    assert found["manifold"] == "yes" and int(found["number_of_parts"]) == expected.pieces + expected.cavities
    np.testing.assert_allclose([float(found[f"size_{axis}"]) for axis in "xyz"], expected.size, rtol=1e-4)
    assert float(found["volume"]) == pytest.approx(expected.volume, rel=1e-3)
    assert int(found["number_of_facets"]) == len(mesh.faces) and float(found["min_z"]) == pytest.approx(0, abs=1e-3)


@needs_slicer
def test_a_slicer_prints_every_layer(made, tmp_path):
    export(made.mesh, tmp_path / "car.3mf", Style(size_mm=60))
    layers = (f"--layer-height={LAYER}", f"--first-layer-height={LAYER}", "--skirts=0")
    sliced("--export-gcode", *layers, "--output", tmp_path / "car.gcode", tmp_path / "car.3mf")
    heights = [float(z) for z in re.findall(r"^;Z:([\d.]+)$", (tmp_path / "car.gcode").read_text(), re.MULTILINE)]
    np.testing.assert_allclose(np.diff(heights), LAYER, atol=1e-3)  # none is empty
    assert heights[-1] == pytest.approx(print_check(made.mesh, 60).size[2], abs=LAYER)


@pytest.fixture(scope="module")
def issues_of():
    """GLB contents -> the errors and warnings of Khronos' validator."""
    if not (VALIDATOR / "node_modules").exists():
        install = [
            "npm",
            "install",
            "--silent",
            "--no-audit",
            "--prefix",
            str(VALIDATOR),
            "gltf-validator@2.0.0-dev.3.10",
        ]
        if shutil.which("npm") is None or subprocess.run(install, capture_output=True, timeout=120).returncode:
            pytest.skip("NO GLTF VALIDATOR: no GLB was validated")

    def issues(contents: bytes) -> list[str]:
        done = subprocess.run(["node", "-e", VALIDATE], input=contents, capture_output=True, cwd=VALIDATOR, check=True)
        report = json.loads(done.stdout)
        assert report["info"]["totalTriangleCount"] > 0
        return [issue["message"] for issue in report["issues"]["messages"] if issue["severity"] < 2]

    return issues


def test_khronos_validator_finds_no_fault(made, issues_of):
    grey = dataclasses.replace(made.mesh, colors=None, seen=None)
    assert issues_of(encode(made.mesh, "glb", "car", made.camera)) == []
    assert issues_of(encode(grey, "glb", "a car & more", style=Style(size_mm=120))) == []
    assert issues_of(encode(textured(made.mesh, made.mesh, 128), "glb")) == []
    broken = bytearray(encode(grey, "glb"))
    broken[-len(grey.faces) * 12 :] = b"\xff" * (len(grey.faces) * 12)  # indices of no vertex
    assert issues_of(bytes(broken))
