"""Meshes of glTF 2.0 files (.glb, .gltf) as parts of a scene: triangles, strips and fans, also with Draco compression.

Own reader, as trimesh's stores linear factors in 8 bits and treats them as sRGB, ignores alpha modes, the second set of
texture coordinates, their transforms and vertex colours next to a material, and reads compressed meshes as points.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from imfield_jax.files import one_line
from imfield_jax.sources import color as srgb
from imfield_jax.sources.formats.gltf_document import Document, Placed, fractions
from imfield_jax.sources.formats.gltf_material import Look, Materials
from imfield_jax.sources.formats.surface import MAX_REPEATS
from imfield_jax.sources.formats.unsupported import Unsupported
from imfield_jax.sources.scene import GREY, Part

_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_DRACO = "KHR_draco_mesh_compression"
_NEUTRAL = Look(GREY, None, 0, np.eye(2, 3), opaque=True)  # glTF's own default, white, would be clipped by our lights
_COLORED = Look((1.0, 1.0, 1.0, 1.0), None, 0, np.eye(2, 3), opaque=True)


def read(contents: bytes, opened: Callable[[str], bytes | None]) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """The meshes of the default scene, each primitive a part, and warnings.

    opened: returns the contents of a file next to it by name, None for a missing one.

    Raises Unsupported for files that need unsupported features, ValueError and others for damaged ones.
    """
    document = Document(contents, opened)
    materials = Materials(document)
    parts: list[Part] = []
    lost = 0
    for placed in document.placed_meshes():
        for primitive in placed.mesh["primitives"]:
            if primitive.get("mode", _TRIANGLES) in (_TRIANGLES, _STRIP, _FAN) and _has_positions(primitive):
                part, missing = _part(document, materials, primitive, placed)
                parts.append(part)
                lost += missing
    warnings = [f"textures left out: {kind}" for kind in sorted(materials.missing)]
    if lost:
        warnings.append(f"{lost} triangles left out: they refer to vertices that their mesh does not have")
    return tuple(parts), tuple(warnings)


def _has_positions(primitive: dict) -> bool:
    """The specification skips primitives without positions."""
    return "POSITION" in primitive["attributes"]


def _part(document: Document, materials: Materials, primitive: dict, placed: Placed) -> tuple[Part, int]:
    """A primitive in its final position, and the number of its triangles left out."""
    attributes, indices = _arrays(document, primitive)
    vertices = _morphed(document, primitive, attributes["POSITION"].astype(np.float64), placed.weights)
    if indices is None:
        indices = np.arange(len(vertices))
    faces = _faces(indices.astype(np.int64).ravel(), primitive.get("mode", _TRIANGLES))
    known = (faces < len(vertices)).all(axis=1)
    colors = attributes.get("COLOR_0")
    if "material" in primitive:
        look = materials.look(primitive["material"])
    else:
        look = _NEUTRAL if colors is None else _COLORED
    uv = attributes.get(f"TEXCOORD_{look.uv_set}") if look.texture is not None else None
    uv = None if uv is None or len(uv) != len(vertices) else _uv(uv, look.to_image)
    with np.errstate(invalid="ignore", over="ignore"):  # `scene.place` checks that the vertices in use are finite
        if placed.joints is not None:
            vertices = _skinned(vertices, attributes, placed.joints)
        vertices = vertices @ placed.matrix[:3, :3].T + placed.matrix[:3, 3]
    if np.linalg.det(placed.matrix[:3, :3]) < 0:
        faces = faces[:, ::-1]  # a reflection turns outward faces inward
    part = Part(
        vertices=vertices,
        faces=faces[known],
        color=look.color,
        uv=uv,
        texture=None if uv is None else look.texture,
        colors=None if colors is None or len(colors) != len(vertices) else _colors(colors, look.opaque),
    )
    return part, int((~known).sum())


def _morphed(
    document: Document, primitive: dict, vertices: np.ndarray, weights: tuple[float, ...]
) -> Float64[np.ndarray, "V 3"]:
    """Positions with the morph targets of nonzero weight."""
    for weight, target in zip(weights, primitive.get("targets", ()), strict=False):
        if weight and "POSITION" in target:
            vertices = vertices + weight * document.array(target["POSITION"])
    return vertices


def _skinned(
    vertices: np.ndarray, attributes: dict[str, np.ndarray], joints: Float64[np.ndarray, "J 4 4"]
) -> Float64[np.ndarray, "V 3"]:
    """Positions moved by the joints of a skin; unchanged in a file without joint attributes."""
    sets = [n for n in range(len(attributes)) if f"JOINTS_{n}" in attributes and f"WEIGHTS_{n}" in attributes]
    if not sets:
        return vertices
    numbers = np.concatenate([attributes[f"JOINTS_{n}"] for n in sets], axis=1)
    weights = np.concatenate([fractions(attributes[f"WEIGHTS_{n}"]) for n in sets], axis=1).astype(np.float64)
    matrices = np.zeros((len(vertices), 4, 4))
    for number, weight in zip(numbers.T, weights.T, strict=True):
        matrices += weight[:, None, None] * joints[number]
    total = weights.sum(axis=1)[:, None]
    moved = np.einsum("vij,vj->vi", matrices[:, :3, :3], vertices) + matrices[:, :3, 3]
    return np.where(total > 0, moved / np.where(total > 0, total, 1), vertices)


def _arrays(document: Document, primitive: dict) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Attributes by name, and the indices, if any."""
    compressed = primitive.get("extensions", {}).get(_DRACO)
    if compressed:
        return _decompressed(document, compressed)
    wanted = ("POSITION", "COLOR_0", "TEXCOORD_", "JOINTS_", "WEIGHTS_")
    attributes = {n: document.array(i) for n, i in primitive["attributes"].items() if n.startswith(wanted)}
    return attributes, document.array(primitive["indices"]) if "indices" in primitive else None


def _decompressed(document: Document, compressed: dict) -> tuple[dict[str, np.ndarray], np.ndarray]:
    import DracoPy

    try:
        decoded = DracoPy.decode(document.view(compressed["bufferView"]).tobytes())
    except Exception as error:  # of DracoPy's own kinds
        raise Unsupported(
            f"its mesh, compressed by {_DRACO}, cannot be decompressed ({one_line(error)}); "
            "export it again without compression, for instance with Blender"
        ) from error
    names = {number: name for name, number in compressed["attributes"].items()}
    found = {names[entry["unique_id"]]: entry["data"] for entry in decoded.attributes if entry["unique_id"] in names}
    return found, decoded.faces


def _faces(indices: np.ndarray, mode: int) -> np.ndarray:
    """Triangles [F, 3] of the indices of a primitive in `mode`."""
    if mode == _TRIANGLES:
        return indices[: len(indices) // 3 * 3].reshape(-1, 3)
    first = np.arange(max(0, len(indices) - 2))
    if mode == _FAN:
        return np.stack([indices[first + 1], indices[first + 2], np.broadcast_to(indices[:1], first.shape)], axis=1)
    odd = first % 2  # every second triangle of a strip has the opposite winding
    return np.stack([indices[first], indices[first + 1 + odd], indices[first + 2 - odd]], axis=1)


def _uv(uv: np.ndarray, to_image: np.ndarray) -> np.ndarray | None:
    """Texture coordinates of the image with the origin at the bottom left; None if they are invalid."""
    uv = uv.astype(np.float64)[:, :2] @ to_image[:, :2].T + to_image[:, 2]
    uv[:, 1] = 1 - uv[:, 1]
    return uv.astype(np.float32) if (np.abs(uv) < MAX_REPEATS).all() else None


def _colors(colors: np.ndarray, opaque: bool) -> np.ndarray:
    """COLOR_0, linear RGB or RGBA, as sRGB with opacity: [V, 4] float32."""
    light = np.clip(np.nan_to_num(fractions(colors)), 0, 1)
    alpha = np.ones((len(light), 1)) if opaque or light.shape[1] < 4 else light[:, 3:4]
    return np.concatenate([srgb.stored(light[:, :3]), alpha], axis=1).astype(np.float32)
