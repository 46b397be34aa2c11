"""A prepared dataset as the files that other code of this field trains on.

    python -m experiments.export --data=data/car --layout=imnet --out=exported/car

imnet  `<name>_train.hdf5`, `<name>_train.txt` and likewise for the other splits, as IM-NET-pytorch reads them from its
       data folder with `--dataset=<name>`. It knows no validation split: that file is for coming back.
"""

from __future__ import annotations

import functools
from pathlib import Path

from absl import flags, logging

from experiments.entry import run
from experiments.progress import Progress
from imfield_jax.data.dataset import open_split, split_names
from imfield_jax.data.exchange import imnet

_DATA = flags.DEFINE_string("data", None, "The prepared dataset.", required=True)
_LAYOUT = flags.DEFINE_enum("layout", "imnet", ("imnet",), "Whose files.")
_OUT = flags.DEFINE_string("out", None, "Output folder.", required=True)
_NAME = flags.DEFINE_string("name", "all_vox256_img", "What the files are called, before _train and _test.")


def main() -> None:
    out, progress = Path(_OUT.value), Progress()
    out.mkdir(parents=True, exist_ok=True)
    for name in split_names(_DATA.value):
        split, path = open_split(_DATA.value, name), out / f"{_NAME.value}_{name}"
        imnet.write(split, path, functools.partial(progress, f"writing {name}"))
        logging.info("%d shapes: %s.hdf5", len(split), path)


if __name__ == "__main__":
    run(main)
