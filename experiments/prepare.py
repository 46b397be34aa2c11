"""Prepare a dataset from meshes: `python -m experiments.prepare`, the same as `imfield prepare`."""

from imfield_jax.commands.entry import run

if __name__ == "__main__":
    run("prepare")
