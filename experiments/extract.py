"""Images to meshes: `python -m experiments.extract`, the same as `imfield extract`."""

from imfield_jax.commands.entry import run

if __name__ == "__main__":
    run("extract")
