"""One update: which parameters it changes, its metrics and its learning rate."""

from __future__ import annotations

import math

import jax
import numpy as np
import pytest

from imfield_jax.models.decoder import activate
from imfield_jax.training.optimizer import optimizer_of
from imfield_jax.training.stages import AUTOENCODER, ENCODER, FINETUNE, TRAINED, Schedule, Stage
from imfield_jax.training.state import TrainState, begin_stage, first_state

KINDS = (AUTOENCODER, ENCODER, FINETUNE)
LATENTS = np.random.default_rng(1).uniform(size=(5, 8)).astype(np.float32)


def schedule_of(kind, steps=10, **fields):
    level = None if kind == ENCODER else 64
    stage = Stage(kind, level, steps, batch=4, points=16, learning_rate=1e-3, decay=False)
    return Schedule((stage,), latent_weight=0.25, **fields), stage


@pytest.fixture(scope="module")
def stepped(networks, make_step, numpy_feed):
    """(kind, (params, batch_stats), updates) -> (state before, state after, metrics, batches), not donated."""
    compiled = {}

    def run(kind, variables, updates):
        schedule, stage = schedule_of(kind)
        step = compiled.setdefault(kind, jax.jit(make_step(networks, schedule, stage, sequential=True)))
        feed = numpy_feed(4, 16)
        draw = feed.points if kind == AUTOENCODER else feed.views
        batches = [draw(stage.level, number) for number in range(updates)]
        before = state = begin_stage(schedule, stage, *variables)
        for batch in batches:
            state, metrics = step(state, batch, LATENTS)
        return before, state, metrics, batches

    return run


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_stage_changes_only_what_it_trains(kind, stepped, variables):
    before, after, _, _ = stepped(kind, variables, 2)  # the first update of a warm-up has rate 0
    assert int(after.step) == 2
    for name, tree in after.params.items():
        assert same(tree, before.params[name]) == (name not in TRAINED[kind])
        if name in TRAINED[kind]:
            leaves = zip(jax.tree.leaves(tree), jax.tree.leaves(before.params[name]), strict=True)
            assert not any(np.array_equal(a, b) for a, b in leaves)
    assert same(after.batch_stats, before.batch_stats) == (kind == AUTOENCODER)
    assert set(after.opt_state[0].mu) == set(TRAINED[kind])


def test_finetuning_can_leave_the_autoencoder_as_it_is():
    stage = Stage(FINETUNE, 64, 2, batch=4, points=16, learning_rate=1e-3, decay=False, decoder=False)
    assert stage.trained == ("image_encoder",)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stage_starts_with_the_previous_weights_and_a_fresh_optimizer(kind, stepped, variables):
    _, after, _, _ = stepped(AUTOENCODER, variables, 2)
    assert any(np.any(leaf) for leaf in jax.tree.leaves(after.opt_state))
    schedule, stage = schedule_of(kind)
    started = begin_stage(schedule, stage, after.params, after.batch_stats)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(started.opt_state))
    assert int(started.step) == 0
    assert same((started.params, started.batch_stats), (after.params, after.batch_stats))


def test_the_autoencoder_is_measured_on_its_own_points(networks, stepped, variables):
    before, _, metrics, [batch] = stepped(AUTOENCODER, variables, 1)
    z = jax.jit(networks.encode_voxels)(before.params, batch.voxels)
    field = activate(jax.jit(networks.logits)(before.params, z, batch.points), "sigmoid")
    assert metrics["loss"] == pytest.approx(float(np.mean((field - batch.occupancy) ** 2)), rel=1e-5)
    assert metrics["true_inside"] == pytest.approx(float(batch.occupancy.mean()))
    assert metrics["predicted_inside"] == pytest.approx(float(np.mean(field > 0.5)))


def test_views_are_regressed_to_the_latents_of_their_own_shapes(networks, stepped, variables):
    before, _, metrics, [batch] = stepped(ENCODER, variables, 1)
    z, *_ = jax.jit(networks.encode_views_in_training)(before.params, before.batch_stats, batch.view)
    expected = float(np.mean((z - LATENTS[batch.index]) ** 2))
    assert metrics["loss"] == pytest.approx(expected, rel=1e-4)
    assert metrics["latent_spread"] == pytest.approx(float(np.std(z, axis=0).mean()), rel=1e-4)


def test_finetuning_adds_the_weighted_distance_of_latents(networks, stepped, variables):
    before, _, metrics, [batch] = stepped(FINETUNE, variables, 1)
    z, *_ = jax.jit(networks.encode_views_in_training)(before.params, before.batch_stats, batch.view)
    field = activate(jax.jit(networks.logits)(before.params, z, batch.points), "sigmoid")
    distance = float(np.mean((z - LATENTS[batch.index]) ** 2))
    assert metrics["latent_loss"] == pytest.approx(distance, rel=1e-4)
    expected = float(np.mean((field - batch.occupancy) ** 2)) + 0.25 * distance
    assert metrics["loss"] == pytest.approx(expected, rel=1e-4)


def test_the_first_state_is_determined_by_its_key(networks):
    schedule, _ = schedule_of(AUTOENCODER)
    start = jax.jit(first_state, static_argnums=(0, 1))  # compiles once for all keys
    one, again, other = (start(networks, schedule, jax.random.key(seed, impl="rbg")) for seed in (1, 1, 2))
    assert isinstance(one, TrainState) and int(one.step) == 0
    assert same(one, again)
    for name in one.params:
        assert not same(one.params[name], other.params[name])


@pytest.mark.parametrize("decay", [False, True])
def test_the_rate_warms_up_and_decays_on_request(decay):
    """Adam's updates for a constant gradient are of the size of the rate."""
    stage = Stage(AUTOENCODER, 16, 200, 4, 16, learning_rate=1e-3, decay=decay)
    optimizer = optimizer_of(Schedule((stage,)), stage)
    weights = np.ones(3, np.float32)
    state, rates = optimizer.init(weights), []
    update = jax.jit(optimizer.update)
    for _ in range(200):
        change, state = update(np.full(3, 0.5, np.float32), state, weights)
        rates.append(-float(change[0]))
    np.testing.assert_allclose(rates[:5], 1e-3 * np.array([1, 1.75, 2.5, 3.25, 4]) / 4, rtol=1e-4, atol=1e-9)
    if decay:
        assert np.all(np.diff(rates[4:]) < 1e-9) and rates[-1] < 1e-6
        assert rates[4 + 98] == pytest.approx(0.5e-3, rel=0.01)
    else:
        np.testing.assert_allclose(rates[4:], 1e-3, rtol=1e-4)


def test_muon_moves_matrices_along_orthogonal_directions_and_all_else_by_sign():
    """An orthogonal matrix stretches all directions alike; five Newton-Schulz steps come near that.

    The update scales with sqrt(outputs / inputs).
    """
    stage = Stage(AUTOENCODER, 16, 10, 4, 16, learning_rate=1e-3, decay=False)
    rng = np.random.default_rng(0)
    shapes = {"dense": (24, 8), "conv": (4, 4, 4, 3, 16), "row": (24, 1), "bias": (16,)}
    gradients = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    optimizer = optimizer_of(Schedule((stage,), optimizer="muon"), stage)
    updates, _ = optimizer.update(gradients, optimizer.init(gradients), gradients)
    sizes = {}
    for name in ("row", "bias"):  # Adam's first update
        size = np.abs(updates[name]).max()
        np.testing.assert_allclose(updates[name], -size * np.sign(gradients[name]), rtol=1e-4)
    for name in ("dense", "conv"):
        matrix = np.asarray(updates[name]).reshape(-1, shapes[name][-1])
        stretch = np.linalg.svd(matrix, compute_uv=False)
        assert stretch.max() < 3 * stretch.min()
        sizes[name] = stretch.max() / math.sqrt(shapes[name][-1] / math.prod(shapes[name][:-1]))
        assert np.vdot(matrix, gradients[name]) < 0
    assert sizes["conv"] == pytest.approx(sizes["dense"], rel=0.3)


def test_adam_has_the_momentum_of_the_schedule():
    stage = Stage(AUTOENCODER, 16, 10, 4, 16, learning_rate=1e-3, decay=False)
    optimizer = optimizer_of(Schedule((stage,), beta1=0.25), stage)
    gradient = np.array([2.0, -4.0], np.float32)
    _, state = optimizer.update(gradient, optimizer.init(gradient), gradient)
    np.testing.assert_allclose(state[0].mu, 0.75 * gradient, rtol=1e-6)
    np.testing.assert_allclose(state[0].nu, 0.001 * gradient**2, rtol=1e-4)
