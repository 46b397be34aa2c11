"""The pinhole camera: the only module with point <-> pixel arithmetic.

Camera space has x to the right, y up and z towards the viewer, so points in front have negative z;
*depth* is -z. Pixels are measured from the top left corner of a square image, x to the right and
y down, so that the centre of the first pixel is (0.5, 0.5). Pixels are square, the principal point
is the middle of the image, and the field of view spans its full width.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float, Float32, Num


@dataclasses.dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks at the origin of the cube, y up, no roll.

    Azimuth 0 puts the camera in front of the object (on -z) and grows towards +x: the eye is at
    distance * (sin(azimuth) cos(elevation), sin(elevation), -cos(azimuth) cos(elevation)).
    """

    azimuth_radians: float
    elevation_radians: float
    distance: float
    fov_radians: float

    def eye(self) -> Float[np.ndarray, " 3"]:
        """Position of the camera in cube units."""
        return self.distance * self._backward()

    def axes(self) -> Float[np.ndarray, "3 3"]:
        """Right, up and backward directions of the camera as rows, orthonormal."""
        back = self._backward()
        # From the azimuth and not from a cross product with y, which is undefined looking straight down.
        right = np.array([-np.cos(self.azimuth_radians), 0.0, -np.sin(self.azimuth_radians)])
        return np.stack([right, np.cross(back, right), back])

    def view_matrix(self) -> Float[np.ndarray, "4 4"]:
        """World to camera space for homogeneous column vectors."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.axes()
        matrix[2, 3] = -self.distance
        return matrix

    def project(
        self, points: Float[np.ndarray, "*shape 3"], size: int
    ) -> tuple[Float[np.ndarray, "*shape 2"], Float[np.ndarray, "*shape"]]:
        """Pixels (x, y) of points in a size x size image, and depths.

        The pixels of points behind the camera (depth <= 0) are meaningless.
        """
        local = points @ self.axes().T
        depth = np.asarray(self.distance - local[..., 2])
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = local[..., :2] / depth[..., None] / np.tan(self.fov_radians / 2)
        return (slope * (1, -1) + 1) * (size / 2), depth

    def pixel_directions(
        self, columns: Num[np.ndarray, "*#shape"], rows: Num[np.ndarray, "*#shape"], size: int
    ) -> Float[np.ndarray, "*shape 3"]:
        """Directions of the rays through pixels, the inverse of `project`.

        The directions have unit depth, so that eye + depth * direction is the point at that depth.
        """
        reach = np.tan(self.fov_radians / 2)
        right, up, back = self.axes()
        x = (2 * np.asarray(columns) / size - 1) * reach
        y = (1 - 2 * np.asarray(rows) / size) * reach
        return x[..., None] * right + y[..., None] * up - back

    def _backward(self) -> np.ndarray:
        azimuth, elevation = self.azimuth_radians, self.elevation_radians
        flat = np.cos(elevation)
        return np.array([np.sin(azimuth) * flat, np.sin(elevation), -np.cos(azimuth) * flat])


VIEW_CAMERA = 7  # numbers of a view's camera


def view_camera(camera: Camera, size: int, square: tuple[float, float, float]) -> Float32[np.ndarray, " 7"]:
    """The camera of a view as numbers that a network predicts.

    A view shows a square of an image, so its camera is that of the image with another focal length and a principal
    point that is not its middle. The numbers: sine and cosine of the azimuth, the elevation in radians, scale,
    nearness, and the principal point. The scale is the length in the view, 1 for half of its width, of a unit at the
    cube's origin; the nearness is 1 / distance. Scale and nearness rather than focal length and distance, because
    those two can hardly be told apart from afar, and these can.

    camera: of a size x size image.   square: left, top and side, in its pixels, see `framing.framed_square`.
    """
    left, top, side = square
    focal = size / side / np.tan(camera.fov_radians / 2)  # in half widths of the view
    middle = [(size - 2 * left) / side - 1, (size - 2 * top) / side - 1]
    azimuth = camera.azimuth_radians
    return np.array(
        [
            *(np.sin(azimuth), np.cos(azimuth), camera.elevation_radians),
            *(focal / camera.distance, 1 / camera.distance),
            *middle,
        ],
        np.float32,
    )


def image_camera(view: Float[np.ndarray, " 7"]) -> Camera:
    """The inverse of `view_camera` for the whole view as the image; the principal point, view[5:], is not kept."""
    sine, cosine, elevation, scale, nearness = map(float, view[:5])
    fov = 2 * np.arctan(nearness / scale)
    return Camera(float(np.arctan2(sine, cosine)) % (2 * np.pi), elevation, 1 / nearness, float(fov))


@dataclasses.dataclass(frozen=True)
class PictureCamera:
    """The pinhole camera of a whole picture, of which a view shows a square: its axis need not meet the middle.

    size:  width and height of the upright picture, in pixels.
    focal: its focal length, and principal: where its axis is, x to the right and y down, in pixels.
    pose:  from the camera, which looks along its -z with y up, to the cube.
    orientation: by which the stored picture becomes the upright one, as in EXIF; 1 if it is stored upright.
    """

    size: tuple[int, int]
    focal: float
    principal: tuple[float, float]
    pose: Float[np.ndarray, "4 4"]
    orientation: int = 1

    def project(self, points: Float[np.ndarray, "P 3"]) -> Float[np.ndarray, "P 2"]:
        """Pixels (x, y) of points of the cube in the upright picture."""
        local = (points - self.pose[:3, 3]) @ self.pose[:3, :3]
        return local[:, :2] * (1, -1) / -local[:, 2:] * self.focal + self.principal


def picture_camera(
    view: Float[np.ndarray, " 7"], square: tuple[float, float, float], size: tuple[int, int], orientation: int = 1
) -> PictureCamera:
    """The camera of a picture, by that of a view. square: which the view shows: left, top and side, in its pixels."""
    left, top, side = square
    camera = image_camera(view)
    focal = side / 2 / np.tan(camera.fov_radians / 2)
    principal = (left + side * (float(view[5]) + 1) / 2, top + side * (float(view[6]) + 1) / 2)
    return PictureCamera(size, float(focal), principal, np.linalg.inv(camera.view_matrix()), orientation)


_FARTHEST = 0.05  # nearness of a camera from which depths can still be told
_NEAREST = 0.3  # of the depth of the origin: nearer points are projected as if they were this near


def view_axes(view: Float[np.ndarray, " 7"]) -> Float[np.ndarray, "3 3"]:
    """Right, up and backward directions of the camera of a view as rows, orthonormal."""
    return Camera(float(np.arctan2(view[0], view[1])), float(view[2]), 1.0, 1.0).axes()


def project_view(
    view: Float[np.ndarray, " 7"], points: Float[np.ndarray, "P 3"]
) -> tuple[Float[np.ndarray, "P 2"], Float[np.ndarray, " P"]]:
    """Places in the view of `view_camera`, x to the right and y down in [-1, 1], and how much nearer than the origin
    points are, in cube units. `models.projection.project` is the same in JAX.
    """
    right, upward, backward = view_axes(view)
    nearer = points @ backward
    per_unit = view[3] / np.maximum(1 - view[4] * nearer, _NEAREST)
    return np.stack([points @ right, -(points @ upward)], axis=-1) * per_unit[:, None] + view[5:], nearer


def nearness_of(view: Float[np.ndarray, " 7"], nearer: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """How near points are to the camera of a view, in units that are linear on the screen; 1 at the origin."""
    return 1 / np.maximum(1 - max(float(view[4]), _FARTHEST) * nearer, _NEAREST)
