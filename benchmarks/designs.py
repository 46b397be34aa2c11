"""From a view to a shape: designs of networks at equal CPU time.

    python -m benchmarks.designs --data=data/chair --real=data/real_chair --seconds=300

All designs have the same features of the view, prediction of the camera, batches and optimizer. They differ in what the
value at a point of the cube depends on:

    global    a code of 128 numbers, for the decoder of `compact`
    pixel     the features at its projection and at that of its mirror image, and the global code
    attention maps over three planes, whose cells attend to the patches of the view
    lifted    maps over three planes, completed from features lifted along the camera: the preset `planes`
    taught    as `lifted`, but it regresses the maps of the preset's autoencoder, whose training time counts

All but `taught` learn from labelled points, half of them near the surface, half in the whole cube. The table gives the
mean IoU on 64^3 points: at the level 0 of the field, and at the level that suits the design best, because designs that
are still uncertain about thin parts have them at lower levels; then the same with the true camera, and the error of
the predicted azimuth. `--framing=colour --designs=lifted` gives the network colours instead of grey.
"""

from __future__ import annotations

import dataclasses
import itertools
import sys
import time
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from absl import flags
from flax import linen as nn

from imfield_jax.batches import Inputs
from imfield_jax.commands.entry import run
from imfield_jax.coordinates import grid_points, occupancy_of_solid
from imfield_jax.dataset.feed import FeedConfig, framed
from imfield_jax.dataset.resident import ResidentFeed, pack
from imfield_jax.dataset.rows import Split
from imfield_jax.dataset.storage import open_split, split_names
from imfield_jax.framing import CHANNELS, FRAMINGS, to_unit
from imfield_jax.models.camera_head import likeliest
from imfield_jax.models.decoder import ImplicitDecoder, leaky_relu, point_features
from imfield_jax.models.plane_image_encoder import (
    MIRROR,
    PlaneImageEncoder,
    Pyramid,
    ViewFeatures,
    doubled,
    lifted,
)
from imfield_jax.models.plane_voxel_encoder import PlaneVoxelEncoder
from imfield_jax.models.planes import PLANES, PlaneDecoder
from imfield_jax.models.presets import PRESETS
from imfield_jax.training.losses import CAMERA_WEIGHT, camera_loss
from imfield_jax.training.optimizer import optimizer_of
from imfield_jax.training.stages import ENCODER, MUON, Schedule, Stage

_DATA = flags.DEFINE_string("data", "data/chair", "Prepared dataset to train on, with views.")
_REAL = flags.DEFINE_list("real", [], "Prepared datasets to score as well, of any split.")
_SECONDS = flags.DEFINE_float("seconds", 300.0, "CPU seconds of training per design.", lower_bound=1.0)
_SHAPES = flags.DEFINE_integer("shapes", 30, "Shapes to score of each dataset.", lower_bound=1)
_RATE = flags.DEFINE_float("learning_rate", 1.5e-3, "Learning rate after warm-up; it decays to 0.")
_BATCH, _POINTS = 16, 512  # shapes per update, points of each kind per shape
_LEVELS = (0.0, -0.5, -1.0, -1.5, -2.0)
_VIEWS = (3, 15)
_TEACHER = 0.25  # of the time of `taught`, for its autoencoder
_FRAMING = flags.DEFINE_enum("framing", "matte", [name for name in FRAMINGS if CHANNELS[name] > 1], "Of the views.")
CONFIG, _VOXEL_SIZE = PRESETS["planes"].image_encoder, PRESETS["planes"].voxel_size


class Global(nn.Module):
    @nn.compact
    def __call__(self, view, camera, points):
        _, code, estimate = ViewFeatures(CONFIG.width)(view)
        decoder = ImplicitDecoder(PRESETS["compact"].decoder)
        params = self.param("decoder", lambda key: decoder.init(key, jnp.zeros(128), jnp.zeros(3))["params"])
        z = nn.sigmoid(nn.Dense(128)(code))
        return jax.lax.map(
            lambda shape: decoder.apply({"params": params}, *shape, method="logits"), (z, points)
        ), estimate


class Pixel(nn.Module):
    @nn.compact
    def __call__(self, view, camera, points):
        sizes, code, estimate = ViewFeatures(CONFIG.width)(view)
        features = Pyramid(CONFIG.width, CONFIG.lifted)(sizes, code)
        used = likeliest(estimate) if camera is None else camera
        inputs = [jax.vmap(lifted)(features, used, side) for side in (points, points * MIRROR)]
        inputs.append(jax.vmap(jax.vmap(partial(point_features, octaves=4)))(points))
        hidden = nn.Dense(128)(jnp.concatenate(inputs, axis=-1)) + jnp.expand_dims(nn.Dense(128)(code), 1)
        for width in (64, 64):
            hidden = nn.Dense(width)(leaky_relu(hidden))
        return nn.Dense(1)(leaky_relu(hidden))[..., 0], estimate


class Lifted(nn.Module):
    @nn.compact
    def __call__(self, view, camera, points):
        z, estimate = PlaneImageEncoder(CONFIG, name="encoder")(view, camera)
        return _Decoded(name="decoder")(z, points), estimate


class Attention(nn.Module):
    """Cells of three 16x16 maps attend to 256 patches of the view, and to each other (Hong et al. 2023, "LRM")."""

    width: int = 128
    layers: int = 3

    @nn.compact
    def __call__(self, view, camera, points):
        sizes, code, estimate = ViewFeatures(CONFIG.width)(view)
        cells = len(PLANES) * CONFIG.grid**2
        patches = nn.Conv(self.width, (1, 1))(sizes[1]) + doubled(nn.Conv(self.width, (1, 1))(sizes[2]))
        patches = patches.reshape(len(view), -1, self.width)
        patches = patches + self.param("places", nn.initializers.normal(0.5), (1, *patches.shape[1:]))
        state = self.param("cells", nn.initializers.normal(0.5), (1, cells, self.width))
        state = state + jnp.expand_dims(nn.Dense(self.width)(code), 1)
        for _ in range(self.layers):
            state = state + nn.MultiHeadDotProductAttention(4)(nn.LayerNorm()(state), nn.LayerNorm()(patches))
            state = state + nn.MultiHeadDotProductAttention(4)(nn.LayerNorm()(state))
            state = state + nn.Dense(self.width)(leaky_relu(nn.Dense(2 * self.width)(nn.LayerNorm()(state))))
        maps = state.reshape(-1, CONFIG.grid, CONFIG.grid, self.width)
        maps = nn.Conv(CONFIG.channels, (1, 1))(leaky_relu(nn.Conv(64, (3, 3))(doubled(maps))))
        return _Decoded()(maps.reshape(len(view), -1), points), estimate


class _Decoded(nn.Module):
    """The decoder of `planes` for a batch."""

    @nn.compact
    def __call__(self, z, points):
        decoder = PlaneDecoder(PRESETS["planes"].decoder)
        params = self.param("decoder", lambda key: decoder.init(key, z[0], jnp.zeros(3))["params"])
        return jax.lax.map(lambda shape: decoder.apply({"params": params}, *shape, method="logits"), (z, points))


DESIGNS = {
    "global": Global,
    "pixel": Pixel,
    "attention": Attention,
    "lifted": Lifted,
    "taught": Lifted,
}
_ONLY = flags.DEFINE_list("designs", list(DESIGNS), "The designs to compare.")


def main() -> None:
    unknown = [name for name in _ONLY.value if name not in DESIGNS]
    if unknown:
        raise ValueError(f"--designs: expected some of {', '.join(DESIGNS)}, found {unknown[0]!r}")
    packed = pack(open_split(_DATA.value, "train"), _inputs())
    feed = ResidentFeed(packed, FeedConfig(batch=_BATCH, points=_POINTS, inputs=_inputs()))
    held_out = {_DATA.value: [open_split(_DATA.value, "validation")]}
    held_out |= {data: [open_split(data, split) for split in split_names(data)] for data in _REAL.value}
    device = jax.devices()[0]
    print(f"{device.device_kind} ({device.platform}), jax {jax.__version__}")
    print(f"{len(packed.names)} shapes of {_DATA.value}, {_SECONDS.value:.0f} CPU seconds per design\n")
    print("| design | updates | data | IoU | at the best level | with the true camera | azimuth error, median |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in _ONLY.value:
        params, updates = _trained(name, feed)
        for data, splits in held_out.items():
            print(f"| {name} | {updates} | {data} | {_scores(DESIGNS[name](), params, splits)} |", flush=True)


def _inputs() -> Inputs:
    return dataclasses.replace(PRESETS["planes"].inputs, framing=_FRAMING.value)


def _trained(name: str, feed: ResidentFeed) -> tuple[dict, int]:
    """The parameters of a design after its time, and the number of updates."""
    network, share = DESIGNS[name](), 1.0
    shapes = jnp.zeros((2, 128, 128, CHANNELS[_FRAMING.value])), jnp.zeros((2, 7)), jnp.zeros((2, 8, 3))
    params = jax.jit(network.init)(jax.random.key(0), *shapes)["params"]
    if name == "taught":
        (encoder, decoder), _ = _fitted(_autoencoder_loss, _autoencoder(), feed, _TEACHER)
        params, share = {**params, "decoder": {"decoder": decoder}}, 1 - _TEACHER
        loss = partial(_taught_loss, teacher=encoder)
    else:
        loss = partial(_point_loss, network)
    return _fitted(loss, params, feed, share)


def _fitted(loss: Callable, params, feed: ResidentFeed, share: float) -> tuple:
    """Parameters after as many updates as fit into a share of the time, measured on the first few."""
    rows, budget = feed.voxels, share * _SECONDS.value

    def update_of(steps: int) -> tuple[Callable, optax.OptState]:
        stage = Stage(ENCODER, None, steps, _BATCH, _POINTS, _RATE.value, decay=True)
        optimizer = optimizer_of(Schedule((stage,), "bce", 0.9, MUON), stage)

        @jax.jit
        def update(params, state, *batch):
            gradients = jax.grad(loss)(params, *batch)
            updates, state = optimizer.update(gradients, state, params)
            return optax.apply_updates(params, updates), state

        return update, optimizer.init(params)

    def batch(step: int) -> tuple:
        near, whole = feed.views(64, step), feed.views(16, step)  # the same shapes and views: draws depend on the step
        return near, whole, rows(near.index)

    update, state = update_of(1000)
    jax.block_until_ready(update(params, state, *batch(0)))
    started = time.process_time()
    for step in range(5):
        jax.block_until_ready(update(params, state, *batch(step)))
    steps = max(5, int(budget / ((time.process_time() - started) / 5)))
    update, state = update_of(steps)
    for step in range(steps):
        params, state = update(params, state, *batch(step))
    return jax.block_until_ready(params), steps


def _point_loss(network: nn.Module, params, near, whole, voxels):
    points = jnp.concatenate([near.points, whole.points], axis=1)
    logits, estimates = network.apply({"params": params}, near.view, near.camera, points)
    occupancy = jnp.concatenate([near.occupancy, whole.occupancy], axis=1)
    loss = optax.sigmoid_binary_cross_entropy(logits, occupancy).mean()
    return loss + CAMERA_WEIGHT * camera_loss(estimates, near.camera)


def _taught_loss(params, near, whole, voxels, teacher):
    z, estimates = PlaneImageEncoder(CONFIG).apply({"params": params["encoder"]}, near.view, near.camera)
    target = _VOXEL_ENCODER.apply({"params": teacher}, voxels)
    return jnp.square(z - target).mean() + CAMERA_WEIGHT * camera_loss(estimates, near.camera)


_VOXEL_ENCODER = PlaneVoxelEncoder(PRESETS["planes"].voxel_encoder)


def _autoencoder() -> tuple[dict, dict]:
    decoder = PlaneDecoder(PRESETS["planes"].decoder)
    voxels, z = jnp.zeros((1, *(_VOXEL_SIZE,) * 3)), jnp.zeros(PRESETS["planes"].decoder.latent)
    encoder = jax.jit(_VOXEL_ENCODER.init)(jax.random.key(1), voxels)["params"]
    return encoder, decoder.init(jax.random.key(2), z, jnp.zeros(3))["params"]


def _autoencoder_loss(params, near, whole, voxels):
    encoder, decoder = params
    z = _VOXEL_ENCODER.apply({"params": encoder}, voxels)
    points = jnp.concatenate([near.points, whole.points], axis=1)
    network = PlaneDecoder(PRESETS["planes"].decoder)
    logits = jax.lax.map(lambda shape: network.apply({"params": decoder}, *shape, method="logits"), (z, points))
    occupancy = jnp.concatenate([near.occupancy, whole.occupancy], axis=1)
    return optax.sigmoid_binary_cross_entropy(logits, occupancy).mean()


def _scores(network: nn.Module, params, splits: list[Split]) -> str:
    """IoU at level 0, at the best level, at the best with true cameras, and the median azimuth error in degrees."""
    points = grid_points(64).reshape(16, 1, -1, 3)

    @jax.jit
    def field(view, camera):
        return jax.lax.map(lambda some: network.apply({"params": params}, view, camera, some)[0][0], points).ravel()

    @jax.jit
    def camera_of(view):
        return likeliest(network.apply({"params": params}, view, None, jnp.zeros((1, 1, 3)))[1])

    predicted, true, errors = [], [], []
    for row in itertools.islice(itertools.chain(*splits), _SHAPES.value):
        inside = occupancy_of_solid(row.solid, points.reshape(-1, 3)).astype(bool)
        for number in _VIEWS:
            framed_view, camera = framed(row, number % row.view_count, _inputs())
            view = to_unit(framed_view)[None]
            found = camera_of(view)
            predicted.append(_ious(np.asarray(field(view, found)), inside))
            true.append(_ious(np.asarray(field(view, camera[None])), inside))
            turn = np.arctan2(*np.asarray(found)[0, :2]) - np.arctan2(*camera[:2])
            errors.append(abs((np.degrees(turn) + 180) % 360 - 180))
    ious, of_true = np.mean(predicted, axis=0), np.mean(true, axis=0)
    return f"{ious[0]:.3f} | {ious.max():.3f} | {of_true.max():.3f} | {np.median(errors):.1f}"


def _ious(values: np.ndarray, inside: np.ndarray) -> list[float]:
    """The IoU at each of the levels."""
    return [((values > level) & inside).sum() / max(((values > level) | inside).sum(), 1) for level in _LEVELS]


if __name__ == "__main__":
    run(sys.modules[__name__])
