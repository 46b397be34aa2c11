"""A lack of disk space is detected before the work starts, and ends a run in one line if it occurs later."""

from __future__ import annotations

import errno
import json
import os
import shutil

import pytest
import tensorflow_datasets as tfds

from imfield_jax.dataset.storage import build_dataset
from imfield_jax.preparation import disk
from imfield_jax.preparation.record import Settings
from imfield_jax.preparation.records import Preparation, make_records
from imfield_jax.preparation.workers import run_jobs


def _free(monkeypatch, bytes_free):
    usage = shutil._ntuple_diskusage(10**12, 10**12 - bytes_free, bytes_free)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)


def test_free_space_is_checked_against_shapes_and_views(tmp_path, monkeypatch):
    _free(monkeypatch, 10_000_000)
    disk.check_space(tmp_path, 20, 24)
    for shapes, views in ((30, 24), (20, 60)):
        with pytest.raises(ValueError, match=rf"MB of free .* {shapes} shapes of {views} views, found 10\.0 MB"):
            disk.check_space(tmp_path, shapes, views)


def test_the_estimate_matches_the_written_size(data_dir):
    """Within a factor of two for the boxes of the tests, whose random views compress worse than real ones."""
    index = json.loads((data_dir / "work/index.json").read_text())
    shapes, views = len(index["shapes"]), index["settings"]["views"]
    images = shapes * views * 137 * 137 * 4  # random bytes do not compress
    files = [path for folder in ("work", "imfield_shapes") for path in (data_dir / folder).rglob("*") if path.is_file()]
    without_images = sum(path.stat().st_size for path in files) - 2 * images
    assert 0.5 < shapes * disk._PER_SHAPE / without_images < 2


def _preparation(tmp_path):
    (tmp_path / "meshes").mkdir()
    (tmp_path / "meshes/a.obj").write_text("v 0 0 0\n")
    return Preparation("folder", "box", str(tmp_path / "out"), str(tmp_path / "meshes"), settings=Settings(views=1))


def test_no_run_starts_without_enough_space(tmp_path, monkeypatch):
    _free(monkeypatch, 1000)
    started = []
    preparation = _preparation(tmp_path)
    making = make_records(preparation, run=lambda *job: started.append(job))
    with pytest.raises(ValueError, match=r"out: expected 0\.2 MB of free disk space for 1 shapes"), making:
        pass
    assert not started


@pytest.mark.parametrize("number", disk.FULL)
def test_a_full_disk_ends_the_run_instead_of_failing_a_mesh(number):
    job = f'exec(\'raise OSError({number}, "no room", "work/a.npz")\')'
    done = []
    with pytest.raises(OSError, match=r"no room: 'work/a\.npz'") as caught:
        for outcome in run_jobs(eval, ["1 + 1", job, *["2 + 2"] * 50], 1):
            done.append(outcome)
    assert caught.value.errno == number
    assert done == [(0, 2, "")]


def test_other_system_errors_cost_one_job():
    jobs = ["open('/does/not/exist')", "1 + 1"]
    assert [result for _, result, _ in sorted(run_jobs(eval, jobs, 1))] == [None, 2]


def test_a_full_disk_while_packing_names_the_folder(data_dir, tmp_path, monkeypatch):
    def no_room(*arguments, **options):
        raise RuntimeError(f"RESOURCE_EXHAUSTED: write() failed: {os.strerror(errno.ENOSPC)}; at byte 65536")

    monkeypatch.setattr(tfds.core.GeneratorBasedBuilder, "_generate_splits", no_room)
    with pytest.raises(OSError, match="No space left on device") as caught:
        build_dataset(data_dir / "work", tmp_path)
    assert caught.value.filename == str(tmp_path) and caught.value.errno == errno.ENOSPC


def test_other_failures_of_a_writer_are_unchanged(tmp_path):
    for error in (RuntimeError("something else"), FileNotFoundError(errno.ENOENT, "gone")):
        with pytest.raises(type(error)) as caught, disk.full_disk_named(tmp_path):
            raise error
        assert caught.value is error


def test_a_full_disk_without_a_file_gets_the_folder(tmp_path):
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as caught, disk.full_disk_named(tmp_path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(tmp_path)
