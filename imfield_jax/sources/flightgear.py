"""FlightGear's AI aircraft: 135 real airplanes with liveries, in the AC3D format.

The models are in metres, y up, nose -x. Many are copies or near copies of each other (a 737 comes in
eight sizes), so the split holds out whole clusters of similar models.
"""

from __future__ import annotations

import contextlib
import json
import re
from functools import partial
from pathlib import Path

import numpy as np

from imfield_jax.files import read_json, write_atomic
from imfield_jax.sources import clusters, package, splits
from imfield_jax.sources.credits import credit
from imfield_jax.sources.formats import ac3d
from imfield_jax.sources.scene import Scene, transformed
from imfield_jax.sources.shape import Shape

PACKAGE = "flightgear-data-ai"
PACKAGE_SHA256 = "a86b2acbf99ff2d49698abd2a2f4bc28ab0cf5a744218b4ca4d8aede8a67dc2f"  # 2020.3.16+dfsg-1
CATEGORY = "airplane"
CREDIT = credit("the FlightGear team", "GPL-2+", f"Debian package {PACKAGE}")
TURN = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])  # nose -x to front -z, about y

SMALLEST_FILE = 40_000  # bytes; smaller files are lights, tanks and similar parts
_NOT_AIRPLANES = r"light|balloon|Ferry|OMSPods|SSME|wheels\.ac|tank\.ac|refueling|exhaust|droptank|Banner"

# Parts that are effects, not airplane: lights and their halos, discs that represent spinning
# propellers (the blades are separate parts), flames, a brake chute. Not: spinners, a "doublure".
_EFFECTS = re.compile(
    r"light|flare|halo|shadow|chute|flame|condens|beam|blur(?!e)|disk|recog|smoke|glow|tow.?rope"
    r"|prop[^/]*(disc|spin(?!ner)|fast|slow)|(fast|slow)prop|propeller\.2|disquehelice",
    re.IGNORECASE,
)
LEAST_OPACITY = 0.4  # fainter surfaces are propeller blur and canopy reflections

# 65 clusters, the largest of 45 airliners; exact copies are below 0.003. (A first survey of the models
# found 64 at 0.011 with another sampling; distances depend on the density of the points.)
CLUSTER_DISTANCE = 0.0085
CLUSTER_PERIOD = 6  # the large clusters are for training, so one cluster in six is about a tenth of the shapes
CLUSTER_FILE = "airplane_clusters.json"


def obtain(cache_dir: str | Path) -> Path:
    """The folder of the package, fetched if necessary; see `package.obtain`."""
    return package.obtain(PACKAGE, PACKAGE_SHA256, cache_dir)


def shapes(root: str | Path, category: str = CATEGORY, cluster_file: str | Path | None = None) -> list[Shape]:
    """The airplanes below `root`, named "airplane/<aircraft>-<file>", sorted.

    Whole clusters of similar models form the validation and test splits. They are read from `cluster_file`
    (default: airplane_clusters.json in `root`), which is computed from all meshes, in about a minute, when
    it is missing or belongs to other files.

    Raises ValueError for another category or when there are no aircraft below `root`.
    """
    if category != CATEGORY:
        raise ValueError(f"category: expected {CATEGORY}, found '{category}'")
    loads = {name: partial(_load, path, folder) for name, (path, folder) in _files(Path(root)).items()}
    cluster_of = _stored_clusters(Path(cluster_file or Path(root) / CLUSTER_FILE), loads)
    split = split_by_cluster(cluster_of)
    return [Shape(name, split[name], load, credit=CREDIT) for name, load in loads.items()]


def split_by_cluster(cluster_of: dict[str, int]) -> dict[str, str]:
    """Shape name -> split; whole clusters are dealt from the largest to the smallest."""
    members: dict[int, list[str]] = {}
    for name in sorted(cluster_of):
        members.setdefault(cluster_of[name], []).append(name)
    ordered = sorted(members, key=lambda cluster: (-len(members[cluster]), members[cluster][0]))
    split = splits.dealt(ordered, CLUSTER_PERIOD)
    return {name: split[cluster] for name, cluster in cluster_of.items()}


def _files(root: Path) -> dict[str, tuple[Path, Path]]:
    """Shape name -> (mesh file, folder of the aircraft with its textures), sorted by name."""
    found = [path for path in [root, *sorted(root.rglob("AI/Aircraft"))] if path.parts[-2:] == ("AI", "Aircraft")]
    files = {}
    for hangar in found:
        for path in sorted(hangar.rglob("*.ac")):
            inside = path.relative_to(hangar)
            if path.stat().st_size > SMALLEST_FILE and not re.search(_NOT_AIRPLANES, inside.as_posix()):
                files[f"{CATEGORY}/{inside.parts[0]}-{path.stem}"] = (path, hangar / inside.parts[0])
    if not files:
        raise ValueError(f"{root}: expected AI/Aircraft/<type>/.../*.ac below it, found none")
    return dict(sorted(files.items()))


def _load(path: Path, folder: Path) -> Scene:
    return transformed(ac3d.load_scene(path, texture_root=folder, keep=_is_airplane), TURN)


def _is_airplane(name: str, opacity: float) -> bool:
    return opacity > LEAST_OPACITY and not _EFFECTS.search(name)


def _stored_clusters(path: Path, loads: dict) -> dict[str, int]:
    """The clusters stored in `path`, recomputed and stored if they belong to other shapes; -1 for unreadable meshes."""
    rules = [CLUSTER_DISTANCE, _EFFECTS.pattern]
    if path.is_file():
        stored = read_json(path, "file of clusters", "delete it")
        if stored.get("rules") == rules and set(stored["clusters"]) == set(loads):
            return stored["clusters"]
    clouds = {}
    for name, load in loads.items():
        with contextlib.suppress(OSError, ValueError):  # preparation reports why a mesh cannot be read
            clouds[name] = clusters.surface_points(load())
    labels = clusters.single_linkage(clusters.chamfer_distances(list(clouds.values())), CLUSTER_DISTANCE)
    found = dict.fromkeys(loads, -1) | dict(zip(clouds, labels.tolist(), strict=True))
    write_atomic(path, json.dumps({"rules": rules, "clusters": found}, indent=1))
    return found
