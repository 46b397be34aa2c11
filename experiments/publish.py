"""Publish a run's weights with a model card: `python -m experiments.publish`, the same as `imfield publish`."""

from imfield_jax.commands.entry import run

if __name__ == "__main__":
    run("publish")
