"""The `imfield` command: `imfield extract --flags` is `python -m experiments.extract --flags`."""

from __future__ import annotations

import sys
from importlib import metadata

from imfield_jax.commands import entry

COMMANDS = {
    "extract": "images to meshes",
    "serve": "a web page and an HTTP API for images to meshes",
    "prepare": "meshes to a dataset",
    "train": "a dataset to weights",
    "train_matte": "datasets and photographs to a matting network",
    "evaluate": "scores on held-out shapes",
    "publish": "weights with a model card",
    "export": "a dataset in the layout of IM-NET or Occupancy Networks",
    "convert": "weights from and to IM-NET-pytorch",
}


def main() -> None:
    """Run the command that the first argument names; with none, or --help, list them. --version prints the version."""
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("-h", "-help", "--help", "help"):
        print(_usage())
        return
    if name == "--version":
        print(f"imfield_jax {metadata.version('imfield_jax')}")
        return
    if name not in COMMANDS:
        sys.exit(f"error: unknown command {name!r}: expected one of {', '.join(COMMANDS)}")
    sys.argv[:2] = [f"imfield {name}"]
    entry.run(name)


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = (f"  imfield {name:{width}}  {text}" for name, text in COMMANDS.items())
    title, more = "One image of an object in, a closed mesh out.", "imfield <command> --help, imfield --version"
    return "\n".join([title, "", *lines, "", more])
