"""glTF 2.0 files, binary and text, as their JSON tree and the arrays it describes.

https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
"""

from __future__ import annotations

import base64
import dataclasses
import json
import urllib.parse
from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float, Float64, Num, UInt8

from imfield_jax.sources.formats.text import decoded
from imfield_jax.sources.formats.unsupported import Unsupported

_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
# Required extensions that do not affect what is read here; materials are read as far as they have a base colour.
_HARMLESS = (
    *("KHR_materials_", "KHR_mesh_quantization", "KHR_texture_", "KHR_lights_", "EXT_texture_", "KHR_xmp"),
    *("KHR_draco_mesh_compression", "KHR_animation_pointer", "EXT_lights_", "MSFT_texture_dds", "MSFT_lod"),
    *("EXT_mesh_gpu_instancing", "KHR_node_visibility"),
)
_REWRITE = "export it again as plain glTF 2.0 without compression, for instance with Blender"


@dataclasses.dataclass(frozen=True)
class Placed:
    """An instance of a mesh in the scene.

    mesh:    its entry in the tree.
    matrix:  transform of its node; the identity for a mesh with a skin, which is placed by its joints.
    joints:  matrices of the skin's joints in the pose of the file; None without a skin.
    weights: weights of its morph targets, as many as the file gives.
    """

    mesh: dict
    matrix: Float64[np.ndarray, "4 4"]
    joints: Float64[np.ndarray, "J 4 4"] | None = None
    weights: tuple[float, ...] = ()


class Document:
    """A glTF file.

    tree: its JSON.   opened: returns the contents of a file next to it by name, None for a missing one.

    Raises Unsupported for glTF 1 and for unsupported required extensions, ValueError for damage.
    """

    def __init__(self, contents: bytes, opened: Callable[[str], bytes | None]):
        self.tree, self._binary = _chunks(contents)
        self._opened = opened
        self._buffers: dict[int, np.ndarray] = {}
        _check_version(str(self.tree.get("asset", {}).get("version", "1.0")))
        names = [n for n in self.tree.get("extensionsRequired", []) if not n.startswith(_HARMLESS)]
        if names:
            noun = "extension" if len(names) == 1 else "extensions"
            raise Unsupported(f"it requires the glTF {noun} {', '.join(names)}, not supported here; {_REWRITE}")

    def resource(self, entry: dict) -> bytes | None:
        """The contents of an image: in the file, in a data URI or in a file next to it; None if that is missing."""
        if "bufferView" in entry:
            return self.view(entry["bufferView"]).tobytes()
        return self._uri(entry["uri"]) if "uri" in entry else None

    def _uri(self, uri: str) -> bytes | None:
        if uri.startswith("data:"):
            head, _, data = uri.partition(",")
            return base64.b64decode(data) if head.endswith(";base64") else urllib.parse.unquote_to_bytes(data)
        return self._opened(urllib.parse.unquote(uri))

    def _buffer(self, index: int) -> np.ndarray:
        if index not in self._buffers:
            self._buffers[index] = self._read_buffer(index, self.tree["buffers"][index])
        return self._buffers[index]

    def _read_buffer(self, index: int, entry: dict) -> np.ndarray:
        if "uri" not in entry and index > 0:
            names = ", ".join(entry.get("extensions", {})) or "an extension"
            raise Unsupported(f"it has data that can only be read with {names}, not supported here; {_REWRITE}")
        contents = self._uri(entry["uri"]) if "uri" in entry else self._binary
        if contents is None:
            raise Unsupported(f"expected its data in '{entry['uri'][:100]}' next to it, found no such file")
        return np.frombuffer(contents, np.uint8)

    def view(self, index: int) -> UInt8[np.ndarray, " bytes"]:
        """The bytes of a buffer view."""
        entry = self.tree["bufferViews"][index]
        start, length = entry.get("byteOffset", 0), entry["byteLength"]
        found = self._buffer(entry["buffer"])[start : start + length]
        if start < 0 or len(found) != length:
            raise ValueError(f"buffer view {index} has {len(found)} of {length} bytes")
        return found

    def array(self, index: int) -> Num[np.ndarray, "count components"]:
        """The values of an accessor; normalized integers become float32."""
        entry = self.tree["accessors"][index]
        kind, width = np.dtype(_COMPONENTS[entry["componentType"]]), _WIDTHS[entry["type"]]
        values = self._rows(entry, kind, entry["count"], width)
        if "sparse" in entry:
            sparse = entry["sparse"]
            whole = np.dtype(_COMPONENTS[sparse["indices"]["componentType"]])
            rows = self._rows(sparse["indices"], whole, sparse["count"], 1).ravel()
            values = values.copy()
            values[rows] = self._rows(sparse["values"], kind, sparse["count"], width)
        return fractions(values) if entry.get("normalized") else values

    def _rows(self, entry: dict, kind: np.dtype, count: int, width: int) -> np.ndarray:
        if "bufferView" not in entry:
            return np.zeros((count, width), kind)
        view = self.view(entry["bufferView"])
        stride = self.tree["bufferViews"][entry["bufferView"]].get("byteStride") or kind.itemsize * width
        strides = (stride, kind.itemsize)
        return np.ndarray((count, width), kind, view, entry.get("byteOffset", 0), strides)

    def placed_meshes(self) -> Iterator[Placed]:
        """The visible meshes of the default scene, once per instance."""
        nodes, worlds = self.tree.get("nodes", []), self._worlds()
        for index, world in worlds.items():
            node = nodes[index]
            if "mesh" not in node:
                continue
            mesh = self.tree["meshes"][node["mesh"]]
            weights = tuple(node.get("weights", mesh.get("weights", ())))
            if "skin" in node:
                yield Placed(mesh, np.eye(4), self._joints(self.tree["skins"][node["skin"]], worlds), weights)
                continue
            for matrix in self._instances(node):
                yield Placed(mesh, world @ matrix, None, weights)

    def _worlds(self) -> dict[int, np.ndarray]:
        """The matrices of the visible nodes of the default scene, in depth-first order."""
        nodes = self.tree.get("nodes", [])
        scenes = self.tree.get("scenes")
        if scenes:
            roots = scenes[self.tree.get("scene", 0)].get("nodes", [])
        else:
            children = {child for node in nodes for child in node.get("children", [])}
            roots = [index for index in range(len(nodes)) if index not in children]
        waiting: list[tuple[int, np.ndarray]] = [(index, np.eye(4)) for index in reversed(roots)]
        worlds: dict[int, np.ndarray] = {}
        while waiting:
            index, outer = waiting.pop()
            if index in worlds or not _extension(nodes[index], "KHR_node_visibility").get("visible", True):
                continue  # the specification requires a tree
            worlds[index] = outer @ _matrix(nodes[index])
            waiting += [(child, worlds[index]) for child in reversed(nodes[index].get("children", []))]
        return worlds

    def _joints(self, skin: dict, worlds: dict[int, np.ndarray]) -> np.ndarray:
        """The matrices [J, 4, 4] from the coordinates of a skinned mesh to scene coordinates."""
        joints = np.stack([worlds.get(index, np.eye(4)) for index in skin["joints"]])
        if "inverseBindMatrices" not in skin:
            return joints
        inverse = self.array(skin["inverseBindMatrices"]).astype(np.float64).reshape(-1, 4, 4)
        return joints @ inverse[: len(joints)].swapaxes(1, 2)  # stored in column-major order

    def _instances(self, node: dict) -> list[np.ndarray]:
        """The instance matrices of EXT_mesh_gpu_instancing in a node; a single identity without the extension."""
        attributes = _extension(node, "EXT_mesh_gpu_instancing").get("attributes", {})
        keys = [key for key in ("TRANSLATION", "ROTATION", "SCALE") if key in attributes]
        if not keys:
            return [np.eye(4)]
        columns = [self.array(attributes[key]) for key in keys]
        return [
            _matrix({key.lower(): row for key, row in zip(keys, rows, strict=True)})
            for rows in zip(*columns, strict=True)
        ]


def _extension(entry: dict, name: str) -> dict:
    return entry.get("extensions", {}).get(name, {})


def fractions(values: Num[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Normalized integers as float32: unsigned in [0, 1], signed in [-1, 1]. Floats are unchanged."""
    if values.dtype.kind == "f":
        return values
    return np.maximum(values.astype(np.float32) / np.iinfo(values.dtype).max, -1.0)


def _chunks(contents: bytes) -> tuple[dict, bytes]:
    """The JSON and the binary chunk; b"" if there is none."""
    binary = b""
    if contents.startswith(b"glTF"):
        version, size = (int.from_bytes(contents[at : at + 4], "little") for at in (4, 8))
        _check_version(f"{version}.0")
        if size > len(contents):
            raise ValueError(f"file is truncated: header declares {size} bytes, found {len(contents)}")
        found: dict[bytes, bytes] = {}
        place = 12
        while place + 8 <= size:
            length = int.from_bytes(contents[place : place + 4], "little")
            found.setdefault(contents[place + 4 : place + 8], contents[place + 8 : place + 8 + length])
            place += 8 + length
        contents, binary = found[b"JSON"], found.get(b"BIN\0", b"")
    tree = json.loads(decoded(contents), strict=False)
    if not isinstance(tree, dict):
        raise ValueError("no JSON object")
    return tree, binary


def _check_version(version: str) -> None:
    if version.startswith(("0.", "1.")):
        raise Unsupported(f"expected glTF 2.0, found glTF {version}; convert it, for instance with gltf-pipeline")
    if not version.startswith("2."):
        raise ValueError(f"expected glTF 2.0, found version {version[:20]}")


def _matrix(node: dict) -> np.ndarray:
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    x, y, z, w = np.array(node.get("rotation", (0, 0, 0, 1)), np.float64)
    length = max(x * x + y * y + z * z + w * w, np.finfo(float).tiny)
    x, y, z, w = np.array([x, y, z, w]) / np.sqrt(length)
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, :3] *= np.array(node.get("scale", (1, 1, 1)), np.float64)
    matrix[:3, 3] = np.array(node.get("translation", (0, 0, 0)), np.float64)
    return matrix
