"""The images that `extract` reads: files, folders, or views of a prepared dataset."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from imfield_jax.inference.batch import Item
from imfield_jax.inference.cutout import AUTO, Matting
from imfield_jax.inference.image_file import open_image
from imfield_jax.inference.model import SHIPPED
from imfield_jax.inference.photo import Photo, list_images, read_image
from imfield_jax.mesh import turntable
from imfield_jax.mesh.export import TEXTURE

# Images that `extract` writes beside its meshes; it never reads them as images of objects.
INPUT, PREVIEW, CUTOUT, TURNTABLE, CONTACT = (
    ".input.png",
    ".preview.png",
    ".cutout.png",
    ".turntable.",
    ".contact.png",
)
OUTPUTS = (INPUT, PREVIEW, CUTOUT, CONTACT, TEXTURE, *(TURNTABLE + kind for kind in turntable.FORMATS))


@dataclasses.dataclass(frozen=True)
class Input(Item):
    """An image with a name for its results. source: file, or view of a dataset. digest: () -> sha256 of the file."""

    source: str
    digest: Callable[[], str]


def sha256(contents: bytes) -> str:
    return hashlib.sha256(contents).hexdigest()


def sample(category: str) -> Path:
    """The image that comes with the package. Raises ValueError if the category has none."""
    image = SHIPPED / f"{category}.png"
    if not image.exists():
        raise ValueError(f"no sample image of category {category!r}: name an image, or --split of a prepared dataset")
    return image


def of_files(
    paths: Iterable[str | Path], crop: bool, matte: str | Matting = AUTO, scribbles: str | None = None
) -> tuple[list[Input], list[str]]:
    """The images in files and folders, and a line for each entry of a folder that is left out.

    crop, matte, scribbles: see `read_image`; scribbles are for one image.

    Raises OSError for a path that does not exist and ValueError if there are no images.
    """
    named = [Path(path) for path in paths]
    files, left_out = list_images(named)
    # A file that is named explicitly is used under any name.
    own = [file for file in files if file.name.endswith(OUTPUTS) and file not in named]
    left_out += [f"{file}: named like an output of extract; name the file itself to use it" for file in own]
    files = [file for file in files if file not in own]
    if not files:
        raise ValueError(f"{', '.join(map(str, named))}: no images except outputs of extract")
    if scribbles is not None and len(files) > 1:
        raise ValueError(f"--scribbles: expected one image, the one that they are drawn on, found {len(files)}")
    if scribbles is not None:
        open_image(scribbles)  # what is wrong with them ends the run, and is not said for the image
    names = _distinct([file.stem for file in files])
    read = partial(read_image, crop=crop, matte=matte, scribbles=scribbles)
    return [
        Input(name, partial(read, file), str(file), partial(_digest, file))
        for name, file in zip(names, files, strict=True)
    ], left_out


def of_split(data: str, split_name: str, count: int) -> list[Input]:
    """One view of each of the first shapes of a split, from a different side for each."""
    # Only --split needs the packages of the extra `data`.
    from imfield_jax.dataset.storage import open_split

    split = open_split(data, split_name)

    def read(row: int) -> Photo:
        shape, number = split[row], row % split.views
        return Photo(shape.view(number), [source(row)])

    def source(row: int) -> str:
        return f"view {row % split.views} of {split.names[row]}"

    def digest(row: int) -> str:
        return sha256(split[row].view_png(row % split.views))

    names = _distinct([name.replace("/", "_") for name in split.names[:count]])
    return [Input(name, partial(read, row), source(row), partial(digest, row)) for row, name in enumerate(names)]


def _digest(file: Path) -> str:
    return sha256(file.read_bytes())


def _distinct(names: list[str]) -> list[str]:
    """File names for the results: images of the same name, in two folders or of two types, get a number."""
    distinct: dict[str, None] = {}
    for name in names:
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        distinct[next(free for free in itertools.chain([name], numbered) if free not in distinct)] = None
    return list(distinct)
