"""Export a prepared dataset to the training files of other projects.

    imfield export --data=data/car --layout=imnet --out=IM-NET-pytorch/data/all_vox256_img
    imfield export --data=data/car --layout=occupancy_networks --out=occupancy_networks/data/ShapeNet

imnet               `<name>_train.hdf5`, `<name>_train.txt` and likewise for the other splits, as IM-NET-pytorch reads
                    them from its data folder with `--dataset=<name>`. It uses no validation split; that file is for
                    importing the dataset again.
occupancy_networks  a folder for each model, with 100,000 points in the cube and as many on the surface, images and
                    cameras; lists of the splits.
"""

from __future__ import annotations

import functools

from absl import flags, logging

from imfield_jax.commands.flag_values import refuse_unused
from imfield_jax.commands.output import output_folder
from imfield_jax.commands.progress import Progress

_DATA = flags.DEFINE_string("data", None, "Prepared dataset.", required=True)
_LAYOUT = flags.DEFINE_enum("layout", "imnet", ("imnet", "occupancy_networks"), "Output layout.")
_OUT = flags.DEFINE_string("out", None, "Output folder.", required=True)
_NAME = flags.DEFINE_string("name", "all_vox256_img", "Name of IM-NET's files, before _train and _test.")

GROUPS = {"Data": [_DATA], "Output": [_LAYOUT, _OUT, _NAME]}


def main() -> None:
    if _LAYOUT.value != "imnet":
        refuse_unused(f"with --layout={_LAYOUT.value}", _NAME)
    if "/" in _NAME.value:
        raise ValueError(f"--name: expected a file name without folders, found {_NAME.value!r}")
    # These need the packages of the extra `data`, --help does not.
    from imfield_jax.dataset.storage import open_split, split_names
    from imfield_jax.interchange import imnet, occupancy_networks

    out, progress = output_folder(_OUT.value), Progress()
    splits = {name: open_split(_DATA.value, name) for name in split_names(_DATA.value)}
    if _LAYOUT.value == "imnet":
        for name, split in splits.items():
            imnet.write(split, out / f"{_NAME.value}_{name}.hdf5", functools.partial(progress, f"writing {name}"))
    else:
        occupancy_networks.write(splits, out, functools.partial(progress, "writing shapes"))
    logging.info("%d shapes in the layout of %s: %s", sum(map(len, splits.values())), _LAYOUT.value, out)
