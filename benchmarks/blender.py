"""How long an artist waits: from the button of the Blender extension to the object, with a server that has compiled.

    python -m benchmarks.blender --blender=.cache/blender-3.11/bin/python

--blender is a Python with the package bpy; the tests of the extension install that one. Blender runs without a display
on the same machine as the server. Seconds in the order of the rounds, and their median.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

from absl import flags

from imfield_jax.commands.entry import run
from imfield_jax.inference.model import SHIPPED
from imfield_jax.server.background import serving
from imfield_jax.server.config import Config

_BLENDER = flags.DEFINE_string("blender", ".cache/blender-3.11/bin/python", "Python with the package bpy.")
_CATEGORIES = flags.DEFINE_list("categories", ["car", "any"], "Shipped weights.")
_RESOLUTION = flags.DEFINE_integer("resolution", 128, "Cells per axis.", lower_bound=16)
_FACES = flags.DEFINE_integer("max_faces", 5000, "Faces of the mesh.", lower_bound=100)
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Times that the button is pressed, after once for warming up.")

_EXTENSION = Path(__file__).resolve().parents[1] / "integrations" / "blender"
_PRESS = """
import json, os, sys, tempfile, time
os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp()
import bpy
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from build import build
packed = build(Path(tempfile.mkdtemp()))
bpy.ops.extensions.package_install_files(filepath=str(packed), repo="user_default", enable_on_install=True)
bpy.context.preferences.addons["bl_ext.user_default.imfield_base_mesh"].preferences.address = sys.argv[2]
settings = bpy.context.scene.imfield_base_mesh
settings.filepath, settings.category, rounds = sys.argv[3], sys.argv[4], int(sys.argv[7])
settings.resolution, settings.faces, settings.camera = int(sys.argv[5]), int(sys.argv[6]), True
seconds = []
for _ in range(rounds + 1):
    started = time.perf_counter()
    bpy.ops.imfield.base_mesh()
    seconds.append(time.perf_counter() - started)
print(json.dumps({"version": bpy.app.version_string, "seconds": seconds[1:]}))
"""


def main() -> None:
    print("| weights | Blender | median | rounds |")
    print("| --- | --- | --- | --- |")
    for category in _CATEGORIES.value:
        with serving(Config((category,))) as address:
            picture = SHIPPED / f"{category}.png"
            numbers = map(str, (_RESOLUTION.value, _FACES.value, _ROUNDS.value))
            command = [_BLENDER.value, "-c", _PRESS, str(_EXTENSION), address, str(picture), category, *numbers]
            found = json.loads(
                subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
            )
        seconds = found["seconds"]
        rounds = ", ".join(f"{each:.2f}" for each in seconds)
        print(f"| {category} | {found['version']} | {statistics.median(seconds):.2f} | {rounds} |", flush=True)


if __name__ == "__main__":
    run(sys.modules[__name__])
