"""A run resumes with its own configuration, also one of an older version, and with no other."""

from __future__ import annotations

import copy
import json

import pytest

from imfield_jax.commands.run_config import claimed

STAGE = {"kind": "finetune", "steps": 3, "whole": False, "decoder": True}
CONFIG = {"seed": 0, "schedule": {"loss": "bce", "stages": [STAGE]}}


@pytest.mark.parametrize("setting", ["whole", "decoder"])
def test_a_run_of_a_version_without_a_setting_resumes_with_its_default(tmp_path, setting):
    old = copy.deepcopy(CONFIG)
    del old["schedule"]["stages"][0][setting]
    (tmp_path / "config.json").write_text(json.dumps(old))
    with claimed(tmp_path, CONFIG):
        pass
    other = {**CONFIG, "schedule": {"loss": "bce", "stages": [{**STAGE, setting: not STAGE[setting]}]}}
    with pytest.raises(ValueError, match="a run with a different schedule"), claimed(tmp_path, other):
        pass


def test_more_stages_extend_a_run_and_changed_ones_do_not(tmp_path):
    with claimed(tmp_path, CONFIG):
        pass
    longer = {**CONFIG, "schedule": {"loss": "bce", "stages": [STAGE, {**STAGE, "steps": 5}]}}
    with claimed(tmp_path, longer):
        pass
    with pytest.raises(ValueError, match="a run with a different schedule"), claimed(tmp_path, CONFIG):
        pass
    with pytest.raises(ValueError, match="a run with a different seed"), claimed(tmp_path, {**longer, "seed": 1}):
        pass
