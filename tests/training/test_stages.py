"""Schedules: the stage of each update, and what each stage trains."""

from __future__ import annotations

import dataclasses

import pytest

from imfield_jax.training.stages import AUTOENCODER, ENCODER, FINETUNE, LOSSES, TRAINED, Schedule, Stage


def schedule(*steps):
    kinds = [(AUTOENCODER, 16), (AUTOENCODER, 32), (AUTOENCODER, 64), (ENCODER, None), (FINETUNE, 64)]
    return Schedule(
        tuple(Stage(kind, level, count, 4, 16, 1e-3, False) for (kind, level), count in zip(kinds, steps, strict=False))
    )


@pytest.mark.parametrize("steps", [(3,), (1, 1, 1), (2, 5, 1, 4, 3)])
def test_updates_are_located_in_their_stage(steps):
    made_by = [0]  # before any update, the current stage is the first
    for number, count in enumerate(steps):
        made_by += [number] * count
    plan = schedule(*steps)
    assert plan.ends[-1] == sum(steps)
    assert [plan.locate(step) for step in range(sum(steps) + 1)] == made_by
    for number, end in enumerate(plan.ends):
        assert plan.locate(end) == number


def test_stage_names_are_unique():
    names = [stage.name for stage in schedule(1, 1, 1, 1, 1).stages]
    assert names == ["autoencoder_16", "autoencoder_32", "autoencoder_64", "encoder", "finetune"]


def test_the_autoencoder_is_frozen_once_its_latents_are_targets():
    assert "voxel_encoder" not in TRAINED[ENCODER] + TRAINED[FINETUNE]
    assert {name for names in TRAINED.values() for name in names} == {"decoder", "voxel_encoder", "image_encoder"}


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match=f"expected one of {', '.join(LOSSES)}, found 'l1'"):
        dataclasses.replace(schedule(1), loss="l1")
