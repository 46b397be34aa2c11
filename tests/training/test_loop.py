"""The training loop: an interrupted run gives the weights of an uninterrupted one, and problems are reported."""

from __future__ import annotations

import dataclasses
import shutil
import time

import jax
import numpy as np
import pytest

from imfield_jax.training import loop
from imfield_jax.training.checkpoints import Checkpoints
from imfield_jax.training.loop import train
from imfield_jax.training.parallel import data_mesh, parallel_step
from imfield_jax.training.run import Run
from imfield_jax.training.stages import AUTOENCODER, ENCODER, FINETUNE, Schedule, Stage
from imfield_jax.training.state import begin_stage

SCHEDULE = Schedule(
    (
        Stage(AUTOENCODER, 16, 5, batch=4, points=16, learning_rate=1e-2, decay=False),
        Stage(ENCODER, None, 4, batch=4, points=0, learning_rate=1e-2, decay=False),
        Stage(FINETUNE, 64, 3, batch=4, points=16, learning_rate=1e-2, decay=True),
    )
)
TOTAL = 12

# Orbax abandons its pending reads when a file turns out to be corrupt.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Stop(Exception):
    """Simulates a kill."""


class Notes:
    """A `loop.Observer` that records its reports and may stop the run after a given one."""

    def __init__(self, stop_at: tuple[str, str, int] | None = None):
        self.reports: list[tuple] = []
        self.warnings: list[str] = []
        self.resumed_from: int | None = None
        self._stop_at = stop_at

    def _note(self, what, stage, step):
        self.reports.append((what, stage.name, step))
        if self.reports[-1] == self._stop_at:
            raise Stop

    def measured(self, stage, step, metrics):
        self._note("measured", stage, step)

    def validated(self, stage, step, metrics):
        self._note("validated", stage, step)

    def finished(self, stage, state):
        self._note("finished", stage, int(state.step))

    def warned(self, stage, step, message):
        self.warnings.append(message)

    def estimating(self):
        pass

    def estimated(self, seconds):
        self.seconds = seconds

    def resumed(self, step, total):
        self.resumed_from = step


@pytest.fixture
def run(remembered, networks, numpy_feed):
    """A run with every kind of stage that saves after every second update."""
    return Run(
        networks=networks,
        schedule=SCHEDULE,
        feeds=lambda number: numpy_feed(4, 16, seed=number),
        validate=lambda state: {"voxels": 0.5, "views": 0.5},
        key=jax.random.key(0),
        mesh=data_mesh(1),
        measure_every=1,
        validate_every=3,
        save_every=2,
    )


def go(run, folder, observer=None):
    with Checkpoints(folder) as checkpoints:
        return jax.device_get(train(run, checkpoints, observer or Notes()))


def assert_same(a, b):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(x, y, strict=True)


@pytest.fixture
def straight(run, tmp_path):
    return go(run, tmp_path / "straight")


def test_an_interrupted_run_gives_the_weights_of_an_uninterrupted_one(run, straight, tmp_path):
    """Interrupted repeatedly: before the first checkpoint, between and at checkpoints, at ends of stages."""
    stops = [
        (("measured", "autoencoder_16", 1), None),
        (("measured", "autoencoder_16", 4), None),
        (("validated", "autoencoder_16", 5), 2),
        (("measured", "encoder", 1), 5),
        (("measured", "encoder", 4), 5),
        (("validated", "encoder", 4), 7),
        (("finished", "encoder", 4), 9),
        (("measured", "finetune", 3), 9),
        (("validated", "finetune", 3), 11),
        (None, 12),
    ]
    for stop_at, resumed_from in stops:
        notes = Notes(stop_at)
        try:
            state = go(run, tmp_path / "stopped", notes)
        except Stop:
            assert stop_at is not None
        assert notes.resumed_from == resumed_from
        assert notes.warnings == []
    assert_same(state, straight)


def test_a_run_that_is_told_to_stop_saves_first_and_goes_on_where_it_was(run, straight, tmp_path):
    """Told after every update, those that end stages among them."""
    stopping = dataclasses.replace(run, stop=lambda: True)
    for updates in range(1, TOTAL + 1):
        notes = Notes()
        with pytest.raises(loop.Stopped, match=f"^stopped after {updates} of {TOTAL} updates$"):
            go(stopping, tmp_path / "stopped", notes)
        assert notes.resumed_from == (updates - 1 or None)
    assert_same(go(stopping, tmp_path / "stopped"), straight)


def test_the_statistics_of_latents_are_those_of_the_frozen_autoencoder_also_after_a_resume(run, monkeypatch, tmp_path):
    """Set once, when the stage begins: another value in the middle would be another network."""
    latents_seen = []

    def with_statistics(networks, batch_stats, latents):
        latents_seen.append(np.asarray(latents))
        return jax.tree.map(lambda leaf: leaf + np.float32(latents.mean()), batch_stats)

    monkeypatch.setattr(type(run.networks), "with_statistics", with_statistics)
    straight = go(run, tmp_path / "straight")
    for stop in (("measured", "encoder", 1), ("measured", "encoder", 3)):
        with pytest.raises(Stop):
            go(run, tmp_path / "stopped", Notes(stop))
    assert_same(go(run, tmp_path / "stopped"), straight)
    assert len(latents_seen) == 3  # the resume from update 2 of the stage does not set them again
    np.testing.assert_array_equal(*latents_seen[:2])
    assert latents_seen[0].shape == (len(run.feeds(1).names), run.networks.preset.decoder.latent)


def test_every_batch_is_drawn_once(run, tmp_path):
    drawn = []

    class Drawn(Relabelled):
        def points(self, level, step):
            drawn.append((level, step))
            return self._feed.points(level, step)

        def views(self, level, step):
            drawn.append((level, step))
            return self._feed.views(level, step)

    noted = dataclasses.replace(run, feeds=lambda number: Drawn(run.feeds(number), None))
    expected = [(stage.level, step) for stage in SCHEDULE.stages for step in range(stage.steps)]
    with pytest.raises(Stop):
        go(noted, tmp_path, Notes(("validated", "encoder", 3)))
    assert drawn == expected[:8]
    drawn.clear()
    go(noted, tmp_path)
    assert drawn == expected[7:]  # from the checkpoint after the encoder's second update


def test_the_reports_of_a_run(run, tmp_path):
    notes = Notes()
    go(run, tmp_path, notes)
    expected = []
    for stage in SCHEDULE.stages:
        for step in range(1, stage.steps + 1):
            expected.append(("measured", stage.name, step))
            if step == 3 or step == stage.steps:
                expected.append(("validated", stage.name, step))
        expected.append(("finished", stage.name, stage.steps))
    assert notes.reports == expected


def test_an_estimate_changes_no_weights_and_names_what_remains(run, straight, tmp_path):
    notes = Notes()
    assert_same(go(dataclasses.replace(run, clock=time.perf_counter), tmp_path / "estimated", notes), straight)
    assert list(notes.seconds) == ["autoencoder_16", "encoder", "finetune"]
    assert all(0 < seconds < 60 for seconds in notes.seconds.values())
    with pytest.raises(Stop):
        go(run, tmp_path / "stopped", Notes(("measured", "encoder", 3)))
    notes = Notes()
    assert_same(go(dataclasses.replace(run, clock=time.perf_counter), tmp_path / "stopped", notes), straight)
    assert list(notes.seconds) == ["encoder", "finetune"]


def test_a_run_starts_from_given_weights(run, variables, tmp_path):
    still = tuple(dataclasses.replace(stage, learning_rate=0.0) for stage in SCHEDULE.stages)
    given = jax.tree.map(lambda leaf: leaf + np.float32(0.5), variables)
    started = dataclasses.replace(run, initial=given, schedule=Schedule(still))
    assert_same(go(started, tmp_path).params, given[0])


def test_an_extended_run_continues_the_finished_one(run, straight, tmp_path):
    more = dataclasses.replace(SCHEDULE.stages[-1], steps=2, round=2)
    longer = dataclasses.replace(run, schedule=Schedule((*SCHEDULE.stages, more)))
    notes = Notes()
    extended = go(longer, tmp_path / "straight", notes)
    assert notes.resumed_from == TOTAL
    assert notes.reports[-1] == ("finished", "finetune_round2", 2)
    assert_same(go(longer, tmp_path / "whole"), extended)


def test_a_full_disk_is_one_error_before_anything_is_written(run, straight, monkeypatch, tmp_path):
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    with pytest.raises(Stop):
        go(run, tmp_path / "full", Notes(("measured", "encoder", 3)))
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: full)
        with pytest.raises(OSError, match=r"no space left for a checkpoint in .*rerun the same command to resume"):
            go(run, tmp_path / "full")
    assert_same(go(run, tmp_path / "full"), straight)


def test_rerunning_a_complete_run_changes_nothing_and_reports_the_end(run, straight, tmp_path):
    notes = Notes()
    assert_same(go(run, tmp_path / "straight", notes), straight)
    assert notes.resumed_from == TOTAL
    assert notes.reports == [("validated", "finetune", 3), ("finished", "finetune", 3)]


def test_a_half_deleted_checkpoint_costs_only_the_updates_since_the_one_before(run, straight, tmp_path):
    shutil.rmtree(tmp_path / "straight" / str(TOTAL) / "default" / "d")
    notes = Notes()
    assert_same(go(run, tmp_path / "straight", notes), straight)
    assert notes.resumed_from == 11
    [warning] = notes.warnings
    assert warning.startswith("checkpoint 12 cannot be read: ")
    notes = Notes()
    go(run, tmp_path / "straight", notes)
    assert notes.resumed_from == TOTAL and notes.warnings == []  # replaced by a complete one


def test_a_run_without_a_readable_checkpoint_does_not_start_over(run, straight, tmp_path):
    for done in (11, TOTAL):
        shutil.rmtree(tmp_path / "straight" / str(done) / "default" / "d")
    with pytest.raises(ValueError, match="no checkpoint of this run can be read: checkpoint 11 "):
        go(run, tmp_path / "straight")


def test_checkpoints_of_other_networks_are_refused_naming_a_leaf(run, straight, networks, tmp_path):
    wider = dataclasses.replace(networks.preset.decoder, widths=(24, 8))
    other = type(networks)(dataclasses.replace(networks.preset, decoder=wider))
    with pytest.raises(ValueError, match=r"leaf params/decoder/layer_1_\w+ has shape"):
        go(dataclasses.replace(run, networks=other), tmp_path / "straight")


@pytest.mark.parametrize(("devices", "clock"), [(4, None), (4, time.perf_counter), (1, time.perf_counter)])
def test_each_stage_compiles_once(run, devices, clock, monkeypatch, tmp_path):
    compiled = []

    def noted(step, mesh):
        compiled.append(parallel_step(step, mesh))
        return compiled[-1]

    monkeypatch.setattr("imfield_jax.training.run.parallel_step", noted)
    stages = (SCHEDULE.stages[0], dataclasses.replace(SCHEDULE.stages[0], level=32), *SCHEDULE.stages[1:])
    go(dataclasses.replace(run, schedule=Schedule(stages), mesh=data_mesh(devices), clock=clock), tmp_path)
    assert [step._cache_size() for step in compiled] == [1, 1, 1, 1]


class Relabelled:
    """A feed with other labels."""

    def __init__(self, feed, label):
        self._feed, self._label = feed, label
        self.names, self.voxels = feed.names, feed.voxels

    def points(self, level, step):
        batch = self._feed.points(level, step)
        return dataclasses.replace(batch, occupancy=self._label(batch.occupancy, step))

    def views(self, level, step):
        return self._feed.views(level, step)


def autoencoder_only(run, steps, label, rate=1e-3, batch=4):
    stage = dataclasses.replace(SCHEDULE.stages[0], steps=steps, batch=batch, points=64, learning_rate=rate)
    feed = run.feeds(0)
    feeds = {0: Relabelled(dataclasses.replace(feed, batch=batch, count=64), label)}
    return dataclasses.replace(run, schedule=Schedule((stage,)), feeds=feeds.get, measure_every=10, save_every=1000)


def test_predicting_empty_everywhere_raises_a_warning(run, tmp_path):
    """The best prediction for random labels is their mean, which is outside."""

    def rare(occupancy, step):
        return (np.random.default_rng(step).random(occupancy.shape) < 0.1).astype(np.float32)

    notes = Notes()
    go(autoencoder_only(run, 60, rare, rate=0.05), tmp_path, notes)
    assert any("predicts 'empty' everywhere" in warning for warning in notes.warnings)


def test_a_collapsed_encoder_raises_a_warning(run, variables, monkeypatch, tmp_path):
    saturated = jax.tree.map(np.copy, variables)
    saturated[0]["voxel_encoder"]["Dense_0"]["bias"][:] = 40
    monkeypatch.setattr(
        loop, "first_state", lambda networks, schedule, key: begin_stage(schedule, schedule.stages[0], *saturated)
    )
    notes = Notes()
    go(autoencoder_only(run, 20, lambda occupancy, step: occupancy), tmp_path, notes)
    assert any("maps all shapes to nearly one latent" in warning for warning in notes.warnings)


@pytest.mark.parametrize("batch", [1, 4])
def test_a_network_that_learns_raises_no_warning(run, batch, tmp_path):
    """A batch of one shape has no latent spread, which is not a collapse."""
    plan = autoencoder_only(run, 20, lambda occupancy, step: occupancy, batch=batch)
    notes = Notes()
    go(plan, tmp_path, notes)
    assert notes.warnings == []


def test_a_nan_loss_ends_the_run_before_it_is_saved(run, tmp_path):
    def broken(occupancy, step):
        return occupancy * (np.nan if step >= 4 else 1)

    plan = dataclasses.replace(autoencoder_only(run, 60, broken), save_every=3)
    with pytest.raises(ValueError, match="autoencoder_16: the norm of the weights is nan after 6 updates: train with"):
        go(plan, tmp_path)
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.steps() == [3]
