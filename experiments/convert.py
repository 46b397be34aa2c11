"""Convert weights from and to IM-NET-pytorch: `python -m experiments.convert`, the same as `imfield convert`."""

from imfield_jax.commands.entry import run

if __name__ == "__main__":
    run("convert")
