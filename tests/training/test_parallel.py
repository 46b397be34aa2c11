"""Data parallelism: several devices compute the updates of a single one."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from imfield_jax.training.parallel import (
    batch_sharded,
    check_single_process,
    data_mesh,
    parallel_step,
    replicated,
    sequential,
)
from imfield_jax.training.stages import AUTOENCODER, FINETUNE, Schedule, Stage
from imfield_jax.training.state import begin_stage

LATENTS = np.random.default_rng(1).uniform(size=(5, 8)).astype(np.float32)


@pytest.mark.parametrize("kind", [AUTOENCODER, FINETUNE])
def test_four_devices_compute_the_updates_of_one(kind, request, make_step, numpy_feed):
    full = "full_" if kind == AUTOENCODER else ""  # dense encoders have batch normalisation, too
    networks, variables = (request.getfixturevalue(full + name) for name in ("networks", "variables"))
    stage = Stage(kind, 64, 10, batch=4, points=16, learning_rate=1e-3, decay=False)
    schedule = Schedule((stage,), latent_weight=0.25)
    feed = numpy_feed(4, 16)
    draw = feed.points if kind == AUTOENCODER else feed.views

    def run(devices):
        mesh = data_mesh(devices)
        step = parallel_step(make_step(networks, schedule, stage, sequential=sequential(mesh)), mesh)
        state = jax.device_put(begin_stage(schedule, stage, *variables), replicated(mesh))
        reports = []
        for number in range(3):
            state, metrics = step(state, jax.device_put(draw(64, number), batch_sharded(mesh)), LATENTS)
            reports.append({name: float(value) for name, value in metrics.items()})
        assert step._cache_size() == 1  # compiled once
        for leaf in jax.tree.leaves(state):
            assert leaf.sharding.device_set == set(mesh.devices.flat)
            assert leaf.sharding.is_fully_replicated
        return jax.device_get(state), reports

    (one, metrics_of_one), (four, metrics_of_four) = run(1), run(4)
    for a, b in zip(metrics_of_one, metrics_of_four, strict=True):
        assert b == pytest.approx(a, rel=1e-4, abs=1e-6)
    # Adam divides by the size of gradients, so where these are only rounding errors its updates may differ:
    # compare its averaged gradients, and batch statistics, which no device could compute alone.
    for compared in ((one.opt_state[0].mu, four.opt_state[0].mu), (one.batch_stats, four.batch_stats)):
        expected, found = (jax.tree.leaves(tree) for tree in compared)
        size = max(np.abs(leaf).max() for leaf in expected)
        for a, b in zip(expected, found, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-2, atol=1e-3 * np.abs(a).max() + 1e-5 * size)


@pytest.mark.parametrize(
    "environment",
    [{"SLURM_STEP_NUM_TASKS": "2"}, {"OMPI_COMM_WORLD_SIZE": "16"}, {"TPU_WORKER_HOSTNAMES": "host-0,host-1"}],
)
def test_one_of_several_processes_is_refused(environment):
    with pytest.raises(ValueError, match=f"found several .{next(iter(environment))} is"):
        check_single_process(environment)


def test_a_single_process_is_accepted():
    check_single_process({"SLURM_NTASKS": "8", "SLURM_STEP_NUM_TASKS": "1", "TPU_WORKER_HOSTNAMES": "localhost"})
    check_single_process({})


def test_more_devices_than_available_are_refused():
    with pytest.raises(ValueError, match="expected at most 4, the number of local devices, found 5"):
        data_mesh(5)
    assert data_mesh().size == 4 and data_mesh(2).size == 2


def test_decoding_is_sequential_on_a_single_cpu_only():
    assert sequential(data_mesh(1))
    assert not sequential(data_mesh(2))
