"""A web page and an HTTP API: `python -m experiments.serve`, the same as `imfield serve`."""

from imfield_jax.commands.entry import run

if __name__ == "__main__":
    run("serve")
