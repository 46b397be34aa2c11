"""Score a trained category on held-out shapes: `python -m experiments.evaluate`, the same as `imfield evaluate`."""

from imfield_jax.commands.entry import run

if __name__ == "__main__":
    run("evaluate")
