"""Packs the Blender extension: python integrations/blender/build.py [folder]

The zip is what Blender installs, with the same bytes for the same files.
"""

from __future__ import annotations

import sys
import tomllib
import zipfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "imfield_base_mesh"


def build(folder: Path) -> Path:
    """Writes the zip, named after the extension's id and version, into a folder."""
    manifest = tomllib.loads((SOURCE / "blender_manifest.toml").read_text())
    made = folder / f"{manifest['id']}-{manifest['version']}.zip"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(SOURCE.iterdir()):
            if path.is_file():
                entry = zipfile.ZipInfo(path.name, (2026, 1, 1, 0, 0, 0))
                file.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return made


if __name__ == "__main__":
    print(build(Path(sys.argv[1] if len(sys.argv) > 1 else "dist")))
