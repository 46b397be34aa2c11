"""Export a dataset in the layout of other systems: `python -m experiments.export`, the same as `imfield export`."""

from imfield_jax.commands.entry import run

if __name__ == "__main__":
    run("export")
