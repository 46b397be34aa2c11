"""Convert weights of IM-NET-pytorch to ours, and back.

    imfield convert --from_pytorch=IM_AE.model64-399.pth,IM_SVR.model-999.pth --run=runs/theirs
    imfield extract --run=runs/theirs --image=chair.png

    imfield convert --run=runs/improved --to_pytorch=checkpoint

An IM_AE file holds the voxel encoder and the decoder, an IM_SVR file the image encoder and the decoder. Give one, or
both if their decoders are equal. The second form takes weights of the preset `improved` and writes the folders that
IM-NET-pytorch looks for below `checkpoint`. Neither form needs PyTorch or executes anything in a file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from absl import flags, logging

from imfield_jax.commands.flag_values import refuse_unused
from imfield_jax.commands.output import output_folder
from imfield_jax.commands.weights_flags import chosen_weights
from imfield_jax.files import write_atomic
from imfield_jax.interchange.pytorch import PREFIXES, from_pytorch, to_pytorch
from imfield_jax.interchange.torch_file import read_tensors, tensors_file
from imfield_jax.models.weights import load_weights, save_weights

_FROM = flags.DEFINE_list("from_pytorch", None, "Files of IM-NET-pytorch: IM_AE...pth, IM_SVR...pth or both.")
_TO = flags.DEFINE_string("to_pytorch", None, "Folder to write the weights to, for IM-NET-pytorch.")
_RUN = flags.DEFINE_string("run", None, "Run folder: written with --from_pytorch, read with --to_pytorch.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Weights file to read with --to_pytorch, instead of a run folder.")
_CATEGORY = flags.DEFINE_string("category", "all_vox256_img", "Category of the weights; --dataset in IM-NET-pytorch.")

GROUPS = {"Direction": [_FROM, _TO], "Weights": [_RUN, _WEIGHTS, _CATEGORY]}

# For each file of IM-NET-pytorch: the parts in it, the suffix of its folder, its name.
_FILES = (
    (("voxel_encoder", "decoder"), "ae_64", "IM_AE.model64-0.pth"),
    (("image_encoder", "decoder"), "svr_128", "IM_SVR.model-0.pth"),
)


def main() -> None:
    files, folder = _FROM.value, _TO.value
    if bool(files) == bool(folder):
        raise ValueError("--from_pytorch, --to_pytorch: expected one of the two, to choose the direction")
    if files:
        refuse_unused("with --from_pytorch", _WEIGHTS)
    if files and _RUN.value:
        _take(files, Path(_RUN.value))
    elif folder and (_RUN.value or _WEIGHTS.value):
        _give(Path(folder))
    else:
        raise ValueError("--run: expected a run folder to write to or, with --to_pytorch, to read from (or --weights)")


def _take(files: list[str], run: Path) -> None:
    out = run / "weights.npz"
    if out.exists():
        raise ValueError(f"{out} exists and would be overwritten: choose another --run")
    tensors: dict[str, np.ndarray] = {}
    for path in files:
        for name, tensor in read_tensors(path).items():
            if not np.array_equal(tensors.setdefault(name, tensor), tensor):
                raise ValueError(f"{path} and {files[0]} differ in {name}: they are not from one model")
    about = {"category": _CATEGORY.value, "source": ", ".join(Path(path).name for path in files)}
    try:
        weights = from_pytorch(tensors, about)
    except ValueError as error:
        raise ValueError(f"{', '.join(files)}: {error}") from error
    output_folder(out.parent, "--run")
    save_weights(out, weights)
    logging.info("%s of %s: %s", ", ".join(weights.params), about["source"], out)


def _give(folder: Path) -> None:
    weights = load_weights(chosen_weights(_WEIGHTS.value, _RUN.value))
    tensors = to_pytorch(weights)
    output_folder(folder, "--to_pytorch")
    for parts, kind, name in _FILES:
        if not set(parts) <= set(weights.params):
            continue
        prefixes = tuple(f"{PREFIXES[part]}." for part in parts)
        place = folder / f"{_CATEGORY.value}_{kind}"
        place.mkdir(parents=True, exist_ok=True)
        chosen = {name: tensor for name, tensor in tensors.items() if name.startswith(prefixes)}
        write_atomic(place / name, tensors_file(chosen))
        write_atomic(place / "checkpoint", f"{folder.name}/{place.name}/{name}\n")  # relative to its working folder
        logging.info("%s: %s", ", ".join(parts), place / name)
