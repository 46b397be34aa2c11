"""Materials of glTF as colours and textures of parts.

Factors and vertex colours of glTF are linear, its images sRGB; alpha is used in the modes MASK and BLEND only.
Emission is added to the base colour, as our lighting model has no emission.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float64
from PIL import Image

from imfield_jax.sources import color as srgb
from imfield_jax.sources.formats import textures
from imfield_jax.sources.formats.gltf_document import Document
from imfield_jax.sources.scene import Color, Texture


@dataclasses.dataclass(frozen=True)
class Look:
    """A material.

    color:     see `Part`.
    uv_set:    index of the TEXCOORD_ that the texture uses.
    to_image:  from these coordinates to those of the image, origin at the top left.
    opaque:    whether to ignore the alpha of vertex colours too.
    """

    color: Color
    texture: Texture | None
    uv_set: int
    to_image: Float64[np.ndarray, "2 3"]
    opaque: bool


class Materials:
    """The materials of a document, each read once. `missing` lists the textures that were left out."""

    def __init__(self, document: Document):
        self._document = document
        self._looks: dict[int, Look] = {}
        self._images: dict[int, np.ndarray | None] = {}
        self.missing: set[str] = set()

    def look(self, index: int) -> Look:
        if index not in self._looks:
            self._looks[index] = self._read(self._entry("materials", index))
        return self._looks[index]

    def _read(self, material: dict) -> Look:
        factor, info = _base(material)
        image = self._texture(info)
        strength = _extension(material, "KHR_materials_emissive_strength").get("emissiveStrength", 1.0)
        emission = strength * _numbers(material.get("emissiveFactor", (0, 0, 0)), 3)
        glow = self._texture(material.get("emissiveTexture", {})) if emission.any() else None
        if glow is not None and image is None:
            info = material["emissiveTexture"]
        if emission.any():
            factor, image = _with_emission(factor, image, emission, glow)
        mode, cutoff = material.get("alphaMode", "OPAQUE"), float(material.get("alphaCutoff", 0.5))
        opacity, image = _with_alpha(mode, cutoff, float(factor[3]), image)
        return Look(
            color=(*srgb.stored(factor[:3]).tolist(), opacity),
            texture=image,
            uv_set=int(_extension(info, "KHR_texture_transform").get("texCoord", info.get("texCoord", 0))),
            to_image=_transform(_extension(info, "KHR_texture_transform")),
            opaque=mode != "BLEND",
        )

    def _texture(self, info: dict) -> np.ndarray | None:
        """The image of a reference to a texture, None if there is none or it cannot be read."""
        if "index" not in info:
            return None
        texture = self._entry("textures", info["index"])
        named = [_extension(texture, name) for name in ("EXT_texture_webp", "EXT_texture_avif", "MSFT_texture_dds")]
        sources = [entry["source"] for entry in (texture, *named) if "source" in entry]
        if not sources and _extension(texture, "KHR_texture_basisu"):
            self.missing.add("KTX2 (KHR_texture_basisu)")
        return next((image for image in map(self._image, sources) if image is not None), None)

    def _image(self, index: int) -> np.ndarray | None:
        if index not in self._images:
            entry = self._entry("images", index)
            self._images[index] = self._decoded(entry) if entry else None
        return self._images[index]

    def _entry(self, kind: str, index: int) -> dict:
        """An entry of a list of the tree; an empty one, which means the defaults, if the file lacks it."""
        entries = self._document.tree.get(kind, [])
        if 0 <= index < len(entries):
            return entries[index]
        self.missing.add(f"those of {kind} that are not in the file")
        return {}

    def _decoded(self, entry: dict) -> np.ndarray | None:
        contents = self._document.resource(entry)
        if contents is None:
            self.missing.add("files that are missing")
            return None
        if contents[:8] == b"\xabKTX 20\xbb":
            self.missing.add("KTX2 (KHR_texture_basisu)")
            return None
        image = textures.decoded(contents)
        if image is None:
            self.missing.add("images that are damaged or of an unknown format")
        return image


def _base(material: dict) -> tuple[np.ndarray, dict]:
    """Base colour, linear [4], and the reference to its texture; the diffuse ones for specular-glossiness."""
    gloss = _extension(material, "KHR_materials_pbrSpecularGlossiness")
    metal = material.get("pbrMetallicRoughness", {})
    if gloss:
        return _numbers(gloss.get("diffuseFactor", (1, 1, 1, 1)), 4), gloss.get("diffuseTexture", {})
    return _numbers(metal.get("baseColorFactor", (1, 1, 1, 1)), 4), metal.get("baseColorTexture", {})


def _with_emission(
    factor: np.ndarray, image: np.ndarray | None, emission: np.ndarray, glow: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Factor and texture of the sum of base colour and emission."""
    if image is None and glow is None:
        return np.append(np.minimum(factor[:3] + emission, 1), factor[3]), None
    if image is None:
        image = np.full_like(glow, 255)
    if glow is not None and glow.shape != image.shape:
        glow = np.asarray(Image.fromarray(glow).resize(image.shape[1::-1], Image.Resampling.BILINEAR))
    light = 1.0 if glow is None else srgb.linear(glow[..., :3].astype(np.float32) / 255)
    total = srgb.linear(image[..., :3].astype(np.float32) / 255) * factor[:3] + light * emission
    rgb = np.rint(255 * srgb.stored(total)).astype(np.uint8)
    return np.append(np.ones(3), factor[3]), np.concatenate([rgb, image[..., 3:]], axis=-1)


def _with_alpha(mode: str, cutoff: float, opacity: float, image: np.ndarray | None) -> tuple[float, np.ndarray | None]:
    """Opacity of the part, and the texture with its effective alpha."""
    if mode == "BLEND":
        return min(max(opacity, 0.0), 1.0), image
    if image is None:
        return 0.0 if mode == "MASK" and opacity < cutoff else 1.0, None
    visible = image[..., 3:] * (opacity / 255) >= cutoff if mode == "MASK" else np.ones_like(image[..., 3:], bool)
    return 1.0, np.concatenate([image[..., :3], np.where(visible, 255, 0).astype(np.uint8)], axis=-1)


def _transform(entry: dict) -> np.ndarray:
    """KHR_texture_transform as [2, 3]: scale, counter-clockwise rotation as seen in the image, offset."""
    cosine, sine = np.cos(entry.get("rotation", 0.0)), np.sin(entry.get("rotation", 0.0))
    turned = np.array([[cosine, sine], [-sine, cosine]]) * _numbers(entry.get("scale", (1, 1)), 2)
    return np.column_stack([turned, _numbers(entry.get("offset", (0, 0)), 2)])


def _extension(entry: dict, name: str) -> dict:
    return entry.get("extensions", {}).get(name, {})


def _numbers(values: object, count: int) -> np.ndarray:
    found = np.array(values, np.float64).reshape(-1)
    if found.shape != (count,) or not np.isfinite(found).all():
        raise ValueError(f"expected {count} numbers in a material, found {values}")
    return found
