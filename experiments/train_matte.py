"""Train a matting network: `python -m experiments.train_matte`, the same as `imfield train_matte`."""

from imfield_jax.commands.entry import run

if __name__ == "__main__":
    run("train_matte")
