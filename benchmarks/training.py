"""Cost of one training step in the alternative forms that the code chooses between.

    python -m benchmarks.training

Gradients of the `compact` networks at the sizes of car.flags. Forms alternate, so that other load on the
machine affects all of them equally; the table gives the median and the fastest of the rounds.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags

from imfield_jax.commands.entry import run
from imfield_jax.models.networks import Networks
from imfield_jax.models.presets import PRESETS
from imfield_jax.models.voxel_encoder import convolution, product_of_blocks
from imfield_jax.training.losses import occupancy_loss

_SHAPES = flags.DEFINE_integer("shapes", 16, "Shapes per step.", lower_bound=1)
_POINTS = flags.DEFINE_integer("points", 1024, "Points per shape.", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 9, "How often each form is timed.", lower_bound=1)

Form = Callable[[], jax.Array]


def main() -> None:
    device = jax.devices()[0]
    print(f"{device.device_kind} ({device.platform}), jax {jax.__version__}: {_SHAPES.value} shapes, median (fastest)")
    for title, forms in (
        ("decoder, gradient", _decoder_forms()),
        ("3D convolution of stride 2, 16^3 to 8^3, gradient", _convolution_forms()),
    ):
        seconds = _in_turns(forms, _ROUNDS.value)
        print(f"\n{title}")
        for name, taken in seconds.items():
            print(f"  {name:<28}{statistics.median(taken) * 1e3:9.1f} ms  ({min(taken) * 1e3:.1f})")


def _decoder_forms() -> dict[str, Form]:
    networks = Networks(PRESETS["compact"])
    params, _ = jax.jit(networks.init)(jax.random.key(0, impl="rbg"))
    rng = np.random.default_rng(0)
    z = jnp.asarray(rng.random((_SHAPES.value, networks.preset.decoder.latent)), jnp.float32)
    points = jnp.asarray(rng.random((_SHAPES.value, _POINTS.value, 3)) - 0.5, jnp.float32)
    occupancy = jnp.asarray(rng.random(points.shape[:2]) > 0.5, jnp.float32)

    def loss(params, z, sequential):
        logits = networks.logits(params, z, points, sequential=sequential)
        return occupancy_loss(logits, occupancy, networks.preset.decoder.output, "bce")

    forms = {"shapes one by one": True, "all shapes at once": False}
    gradients = {
        name: jax.jit(jax.grad(partial(loss, sequential=form), argnums=(0, 1))) for name, form in forms.items()
    }
    return {name: partial(gradient, params, z) for name, gradient in gradients.items()}


def _convolution_forms() -> dict[str, Form]:
    rng = np.random.default_rng(0)
    grid = jnp.asarray(rng.normal(size=(_SHAPES.value, 16, 16, 16, 32)), jnp.float32)
    kernel = jnp.asarray(rng.normal(size=(4, 4, 4, 32, 64)), jnp.float32)
    forms = {"as a matrix product": product_of_blocks, "XLA's convolution": partial(convolution, stride=2)}

    def loss(grid, kernel, form):
        return jnp.square(form(grid, kernel)).sum()

    of = {name: jax.jit(jax.grad(partial(loss, form=form), argnums=(0, 1))) for name, form in forms.items()}
    return {name: partial(gradient, grid, kernel) for name, gradient in of.items()}


def _in_turns(forms: dict[str, Form], rounds: int) -> dict[str, list[float]]:
    """Seconds of every round of every form; the first call of each, which compiles, is not counted."""
    for form in forms.values():
        jax.block_until_ready(form())
    seconds: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(rounds):
        for name, form in forms.items():
            start = time.perf_counter()
            jax.block_until_ready(form())
            seconds[name].append(time.perf_counter() - start)
    return seconds


if __name__ == "__main__":
    run(sys.modules[__name__])
