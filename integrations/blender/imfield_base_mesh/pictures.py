# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture to send: a file, an image that is open in Blender, or what was copied."""

from __future__ import annotations

import contextlib
import pathlib
import tempfile
import urllib.parse
from collections.abc import Iterator

import bpy

from .client import Problem
from .settings import Settings

_SENT = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")  # formats that servers read


def chosen(context: bpy.types.Context, settings: Settings) -> tuple[str, bytes]:
    """Name and contents of the picture that the panel names. Raises Problem."""
    if settings.source == "FILE":
        return of_file(settings.filepath)
    if settings.source == "IMAGE":
        return of_image(settings.image)
    return of_clipboard(context)


def of_file(path: str) -> tuple[str, bytes]:
    """Name and contents of a file. Raises Problem."""
    if not path.strip():
        raise Problem("No picture is chosen: choose a file")
    file = pathlib.Path(bpy.path.abspath(path))
    try:
        return file.stem, file.read_bytes()
    except OSError as error:
        raise Problem(f"{file}: {error.strerror}") from None


def of_image(image: bpy.types.Image | None) -> tuple[str, bytes]:
    """Name and contents of an image of this Blender file, as PNG unless its own file can be sent; a render result as it
    is shown.

    Raises Problem.
    """
    if image is None:
        raise Problem("No picture is chosen: choose one of the images that are open")
    name, own = pathlib.Path(image.name).stem, contents_of(image)
    if own is not None and image.file_format in _SENT and not image.is_dirty:
        return name, own  # also says how a photograph was turned
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "picture.png"
        try:
            # Unlike Image.save, save_render leaves the image as it is, also one that is painted and not yet saved.
            with _as_png(bpy.context.scene.render.image_settings, image.type in ("RENDER_RESULT", "COMPOSITING")):
                image.save_render(str(file))
            return name, file.read_bytes()
        except (RuntimeError, OSError):
            raise Problem(f"The image {image.name} has no pixels: render it, or open it again") from None


def contents_of(image: bpy.types.Image) -> bytes | None:
    """The file of an image, which is packed or on disk; None if there is none."""
    if image.source != "FILE":
        return None
    if image.packed_file is not None:
        return image.packed_file.data
    try:
        return pathlib.Path(bpy.path.abspath(image.filepath, library=image.library)).read_bytes()
    except OSError:
        return None


@contextlib.contextmanager
def _as_png(settings: bpy.types.ImageFormatSettings, with_look: bool) -> Iterator[None]:
    """Settings that write an image. with_look: with the view transform of the scene, as renders are shown."""
    shown = settings.view_settings
    # In this order, because the later ones depend on the earlier ones. Blender 5 has the first one.
    chosen = [(settings, "media_type", "IMAGE")] if hasattr(settings, "media_type") else []
    chosen += [(settings, "file_format", "PNG"), (settings, "color_mode", "RGBA"), (settings, "color_depth", "8")]
    chosen += [(settings, "color_management", "FOLLOW_SCENE" if with_look else "OVERRIDE")]
    chosen += [(shown, "view_transform", "Standard"), (shown, "look", "None")]
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in chosen]
    try:
        for owner, name, value in chosen:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def of_clipboard(context: bpy.types.Context) -> tuple[str, bytes]:
    """Name and contents of the picture, or of the file of one, that was copied. Raises Problem."""
    before = set(bpy.data.images)
    with _image_editor(context) as can_paste:
        if can_paste:
            with contextlib.suppress(RuntimeError):  # nothing there
                bpy.ops.image.clipboard_paste()
    for image in set(bpy.data.images) - before:
        try:
            return of_image(image)
        finally:
            bpy.data.images.remove(image)
    copied = context.window_manager.clipboard.strip().splitlines()
    if copied:
        path = urllib.parse.unquote(copied[0].removeprefix("file://"))
        if pathlib.Path(path).is_file():
            return of_file(path)
    raise Problem("There is no picture in the clipboard: copy one, or choose a file")


@contextlib.contextmanager
def _image_editor(context: bpy.types.Context) -> Iterator[bool]:
    """Whether pictures can be pasted: Blender does so in an image editor, which an area becomes for a moment."""
    areas = [area for area in context.screen.areas if area != context.area] if context.screen else []
    if not areas or bpy.app.background:
        yield False
        return
    area = next((area for area in areas if area.type == "IMAGE_EDITOR"), areas[0])
    before = area.type
    area.type = "IMAGE_EDITOR"
    shown = area.spaces.active.image
    try:
        with context.temp_override(area=area):
            yield bpy.ops.image.clipboard_paste.poll()
    finally:
        area.spaces.active.image = shown
        area.type = before


def add_image(name: str, contents: bytes) -> bpy.types.Image:
    """An image with the contents of a file, kept in the Blender file, also if Blender cannot show it."""
    image = bpy.data.images.new(name, 1, 1)
    image.source = "FILE"
    image.pack(data=contents, data_len=len(contents))
    return image


def is_shown(image: bpy.types.Image) -> bool:
    """Whether Blender can read an image."""
    return image.size[0] > 0
