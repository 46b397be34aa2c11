"""The presets have the sizes of the published networks, and survive being saved."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import jax
import numpy as np
import pytest

from imfield_jax.framing import FRAMINGS
from imfield_jax.models.networks import Networks
from imfield_jax.models.presets import PRESETS, from_dict

ARCHITECTURE = Path(__file__).resolve().parents[2] / "docs/architecture.md"


def shapes_of(name):
    params, _ = jax.eval_shape(Networks(PRESETS[name]).init, jax.random.key(0))
    return params


def count(tree):
    return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(tree))


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("paper", {"decoder": 3_309_185, "voxel_encoder": 4_853_280, "image_encoder": 16_414_272}),
        ("improved", {"decoder": 3_054_593, "voxel_encoder": 6_949_120, "image_encoder": 17_462_976}),
    ],
)
def test_parameters_are_as_many_as_published(name, published):
    assert {part: count(tree) for part, tree in shapes_of(name).items()} == published


@pytest.mark.parametrize("name", PRESETS)
def test_the_documentation_gives_the_number_of_parameters(name):
    [row] = [line for line in ARCHITECTURE.read_text().splitlines() if line.startswith(f"| `{name}` |")]
    params = shapes_of(name)
    counts = [f"{count(params[part]):,}" for part in ("decoder", "voxel_encoder", "image_encoder")]
    assert row.endswith(f"| {'; '.join(counts)} |")


def test_compact_is_a_quarter_of_the_papers_decoder_in_width():
    paper, compact = PRESETS["paper"].decoder, PRESETS["compact"].decoder
    assert compact.widths == tuple(width // 4 for width in paper.widths)
    assert (compact.latent, compact.skips, compact.output) == (paper.latent, paper.skips, paper.output)


@pytest.mark.parametrize("name", PRESETS)
def test_the_networks_of_a_preset_fit_together(name):
    preset = PRESETS[name]
    assert preset.name == name and preset.framing in FRAMINGS
    assert preset.decoder.latent == preset.voxel_encoder.latent == preset.image_encoder.latent


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json(name):
    assert from_dict(json.loads(json.dumps(dataclasses.asdict(PRESETS[name])))) == PRESETS[name]


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.pop("framing"),
        lambda fields: fields["decoder"].pop("widths"),
        lambda fields: fields["image_encoder"].update(pooling=True),
        lambda fields: fields.update(decoder=None),
    ],
    ids=["no framing", "no widths", "unknown field", "no decoder"],
)
def test_another_description_is_refused(change):
    fields = dataclasses.asdict(PRESETS["paper"])
    change(fields)
    with pytest.raises(ValueError, match="does not match this version"):
        from_dict(fields)


@pytest.mark.parametrize("name", PRESETS)
def test_no_parameter_is_weakly_typed(name):
    """An update would make it a plain one, and the step would compile a second time."""
    made = jax.eval_shape(Networks(PRESETS[name]).init, jax.random.key(0))
    assert not [leaf for leaf in jax.tree.leaves(made) if leaf.weak_type]
