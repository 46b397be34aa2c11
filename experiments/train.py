"""Train a category: `python -m experiments.train`, the same as `imfield train`."""

from imfield_jax.commands.entry import run

if __name__ == "__main__":
    run("train")
