"""Lights, and the shading of two-sided surfaces under them.

R2N2: 3D-R2N2 lights its objects with two lamps, tilted 45 degrees to the object's left and right. Ours have the same
directions; because Blender's hemisphere lamps light front and side equally, half of their light is directional here,
and a weak lamp at the camera lights what neither reaches. These lights are symmetric about the planes x = 0 and z = 0,
so brightness does not reveal which side of an object is its front.

`photo_lights` draws what photographs are taken under: sun and sky, an overcast sky, a room or a studio with several
lamps, a flash; over matte or glossy paint. The strongest lamp may cast shadows.

Brightness multiplies stored sRGB values, as Blender did at the time; colours are multiplied with each other in linear
light.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float, Float32


@dataclasses.dataclass(frozen=True)
class Lighting:
    """Lights around an object, in the cube's axes; strengths are brightness, 1 for the colour as stored.

    ambient:   on every surface.
    sky:       on a surface facing up; half on a vertical one, none on one facing down.
    headlight: on a surface facing the camera.
    lamps:     unit directions to distant lamps, their strengths in `powers`.
    gloss:     strength of the lamps' highlights at their centre.   shininess: the exponent that narrows them.
    shadows:   whether the first lamp casts shadows.
    """

    ambient: float
    sky: float
    headlight: float
    lamps: Float32[np.ndarray, "L 3"]
    powers: Float32[np.ndarray, " L"]
    gloss: float = 0.0
    shininess: float = 1.0
    shadows: bool = False

    def shade(
        self,
        normals: Float[np.ndarray, "N 3"],
        to_eye: Float[np.ndarray, "N 3"],
        lit: Float32[np.ndarray, " N"] | float = 1.0,
    ) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
        """Brightness, and what highlights add, for unit normals facing the viewer and unit directions to the viewer.

        lit: fraction of the first lamp's light that arrives.
        """
        facing = np.einsum("nc,nc->n", normals, to_eye)
        bright = self.ambient + self.sky * (0.5 + 0.5 * normals[:, 1]) + self.headlight * np.maximum(facing, 0)
        highlight = np.zeros_like(bright)
        mirrored = 2 * facing[:, None] * normals - to_eye
        for number, (lamp, power) in enumerate(zip(self.lamps, self.powers, strict=True)):
            arriving = power * (lit if number == 0 else 1.0)
            bright += arriving * np.maximum(normals @ lamp, 0)
            if self.gloss:
                highlight += arriving * self.gloss * np.maximum(mirrored @ lamp, 0) ** self.shininess
        return bright, highlight


R2N2 = Lighting(
    ambient=0.22,
    sky=0.28,
    headlight=0.25,
    lamps=np.array([[1, 1, 0], [-1, 1, 0]], np.float32) * np.float32(0.5**0.5),
    powers=np.array([0.3, 0.3], np.float32),
)


def photo_lights(rng: np.random.Generator, views: int) -> list[Lighting]:
    """Those of a series of photographs."""
    return [_photo_lighting(rng) for _ in range(views)]


def _photo_lighting(rng: np.random.Generator) -> Lighting:
    """The lights of one photograph; exposed so that a surface facing the strongest light has a brightness near 1."""
    scene = rng.choice(("sun", "overcast", "lamps", "flash"), p=(0.35, 0.2, 0.35, 0.1))
    count = {"sun": 1, "overcast": 0, "lamps": int(rng.integers(1, 5)), "flash": 0}[scene]
    lamps = _directions(rng, count)
    powers = np.sort(rng.uniform(0.15, 0.6, count))[::-1] if scene == "lamps" else rng.uniform(0.4, 0.8, count)
    sky = {"sun": 0.4, "overcast": 0.8, "lamps": 0.2, "flash": 0.1}[scene] * rng.uniform(0.5, 1.3)
    ambient = rng.uniform(0.08, 0.35)
    headlight = rng.uniform(0.4, 0.8) if scene == "flash" else rng.uniform(0.0, 0.2)
    strongest, others = powers[:1].sum(), powers[1:].sum()
    exposure = rng.uniform(0.8, 1.25) / (ambient + 0.8 * sky + headlight + 0.8 * strongest + 0.6 * others)
    glossy = rng.random() < 0.5
    return Lighting(
        ambient=ambient * exposure,
        sky=sky * exposure,
        headlight=headlight * exposure,
        lamps=lamps,
        powers=(powers * exposure).astype(np.float32),
        gloss=rng.uniform(0.05, 0.3) if glossy else 0.0,
        shininess=float(np.exp(rng.uniform(np.log(8), np.log(120)))) if glossy else 1.0,
        shadows=bool(count and rng.random() < 0.6),
    )


def _directions(rng: np.random.Generator, count: int) -> np.ndarray:
    """Random unit directions 10 to 80 degrees above the horizon: [count, 3]."""
    azimuths, elevations = rng.uniform(0, 2 * np.pi, count), np.radians(rng.uniform(10, 80, count))
    flat = np.cos(elevations)
    return np.stack([np.sin(azimuths) * flat, np.sin(elevations), np.cos(azimuths) * flat], axis=1).astype(np.float32)
