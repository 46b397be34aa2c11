"""Strictness for every test, set before JAX starts.

Four CPU devices, so that data parallelism is tested on any machine, set in the configuration of this
process and not in the environment, which programs started by tests would inherit. Rank promotion
raises: silently broadcasting a [3] to a [P, 3] confuses points and shapes. What a test worker has
compiled is kept in a folder of its own while it runs, because tests load the same weights again and
again. Workers do not share it, and no later run reads it: JAX writes entries in place, so another
process could read a truncated one.

Types and shapes in signatures are checked whenever a function of the packages in CHECKED is called (jaxtyping's
import hook with beartype); compiled functions are checked during tracing. CHECK_TYPES=0 disables the checks, for
timing.

Warnings that point at our own code are errors; see `filterwarnings` in setup.cfg.
"""

from __future__ import annotations

import os
import tempfile

import jaxtyping

os.environ.setdefault("JAX_PLATFORMS", "cpu")

if os.environ.get("CHECK_TYPES") != "0":
    # Numba cannot compile checked functions, so the modules of preparation.solidify with Numba loops are excluded.
    SOLIDIFY = ("cloud", "enclosed", "exact", "report", "robust", "solid", "thin", "topology", "visibility")
    CHECKED = ("batches", "camera", "commands", "coordinates", "fields", "files", "framing", "images", "types")
    CHECKED += ("models", "training", "extraction", "inference", "mesh", "evaluation", "dataset", "interchange")
    SOURCES = ("color", "flightgear", "formats", "hsp", "imnet", "occupancy_networks", "package", "r2n2", "scene")
    SOURCES += ("shapenet", "sweethome3d", "synsets")
    SOURCES += ("clusters", "credits", "folder", "shape", "splits")
    RECORDS = ("record", "record_file", "records", "report", "sampling", "work_folder", "workers")
    CHECKED += tuple(f"preparation.{name}" for name in RECORDS)
    CHECKED += ("preparation.rendering", *(f"preparation.solidify.{name}" for name in SOLIDIFY))
    CHECKED += tuple(f"sources.{name}" for name in SOURCES)
    jaxtyping.install_import_hook(
        [f"imfield_jax.{name}" for name in CHECKED],
        "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",  # accepts an int for a float
    )

import jax
import numpy as np
import pytest

from imfield_jax.batches import PointBatch, ViewBatch
from imfield_jax.coordinates import LEVEL_SIZES
from imfield_jax.models.camera_head import DIRECTIONS
from imfield_jax.models.decoder import DecoderConfig, FoldedLayer
from imfield_jax.models.image_encoder import ImageEncoderConfig
from imfield_jax.models.plane_image_encoder import PlaneImageEncoderConfig
from imfield_jax.models.plane_voxel_encoder import PlaneVoxelEncoderConfig
from imfield_jax.models.planes import PlaneDecoderConfig
from imfield_jax.models.presets import Preset
from imfield_jax.models.voxel_encoder import VoxelEncoderConfig
from imfield_jax.preparation.record import Record
from imfield_jax.preparation.sampling import voxels64
from imfield_jax.training.state import TrainState

jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_numpy_rank_promotion", "raise")
COMPILED = tempfile.TemporaryDirectory(prefix="compiled-")  # removed when the process ends
jax.config.update("jax_compilation_cache_dir", COMPILED.name)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def _unless_placeholders(pytree: type) -> None:
    """Let JAX rebuild a tree of placeholders, such as axes and shardings: only the shapes of arrays are checked."""
    checked, plain = pytree.__init__, pytree.__init__.__wrapped__

    def initialise(self, *values, **fields):
        arrays = all(value is None or hasattr(value, "dtype") for value in (*values, *fields.values()))
        (checked if arrays else plain)(self, *values, **fields)

    pytree.__init__ = initialise


for pytree in (PointBatch, ViewBatch, FoldedLayer, TrainState):
    if hasattr(pytree.__init__, "__wrapped__"):
        _unless_placeholders(pytree)


def pytest_terminal_summary(terminalreporter):
    """Say which parts were not tested for want of a program, where nobody overlooks it."""
    reasons = {report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", [])}
    for reason in sorted(reason for reason in reasons if reason.startswith("NO ")):
        terminalreporter.write_sep("!", reason, red=True, bold=True)


SPLIT_SIZES = {"train": 7, "validation": 2, "test": 1}
VIEWS = 3


@pytest.fixture(scope="session")
def estimate_of():
    """A function from cameras, [B, 7], to estimates of a network that is sure of them, see `models.camera_head`."""

    def estimate(cameras):
        turns = np.arctan2(cameras[:, 0], cameras[:, 1]) / (2 * np.pi) * DIRECTIONS
        first = np.floor(turns).astype(int)
        shares = np.full((len(cameras), DIRECTIONS), 1e-9)
        rows = np.arange(len(cameras))
        shares[rows, (first + 1) % DIRECTIONS] += turns - first
        shares[rows, first % DIRECTIONS] += first + 1 - turns
        return np.concatenate([np.log(shares), cameras[:, 2:]], axis=-1).astype(np.float32)

    return estimate


@pytest.fixture
def rng():
    """A NumPy generator with the same numbers in every run."""
    return np.random.default_rng(20190616)


@pytest.fixture
def unchecked():
    """For tests that pass values the annotations forbid: signatures are not checked, as outside tests."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="session")
def matting_network():
    """Writes ONNX files of small matting networks."""
    import onnx
    from onnx import TensorProto, helper

    def network(path, size=("h", "w"), channels=3, outputs=1, logistic=True, inputs=1):
        """A file with a network from `channels` colours to `outputs` weighted sums of the colours of each pixel."""
        weights = np.resize(np.array([3.0, -2.0, 0.5], np.float32), (outputs, channels, 1, 1))
        names = ["image", "other"][:inputs]
        nodes = [helper.make_node("Conv", ["image", "weights"], ["logits"])]
        if logistic:
            nodes.append(helper.make_node("Sigmoid", ["logits"], ["matte"]))
        graph = helper.make_graph(
            nodes,
            "matting",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, *size]) for name in names],
            [helper.make_tensor_value_info("matte" if logistic else "logits", TensorProto.FLOAT, [1, outputs, *size])],
            [helper.make_tensor("weights", TensorProto.FLOAT, weights.shape, weights.ravel())],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.save(model, path)
        return path

    return network


@pytest.fixture(scope="module")
def quick_compilation():
    """For modules that spend nearly all their time compiling functions that they run once or twice."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="session")
def tiny_preset() -> Preset:
    """Networks small enough to compile in a second."""
    return Preset(
        name="tiny",
        decoder=DecoderConfig(8, (16, 8), skips=True, output="sigmoid", initial_std=None),
        voxel_encoder=VoxelEncoderConfig(8, width=4, affine=True, stem_stride=4),
        image_encoder=ImageEncoderConfig(8, width=4, stem_stride=4),
        framing="fit",
    )


@pytest.fixture(scope="session")
def tiny_planes() -> Preset:
    """A spatial latent and networks for it, as small."""
    return Preset(
        name="tiny_planes",
        decoder=PlaneDecoderConfig(resolution=8, channels=4, widths=(8, 8)),
        voxel_encoder=PlaneVoxelEncoderConfig(resolution=8, channels=4, width=8),
        image_encoder=PlaneImageEncoderConfig(8, 4, width=8, lifted=8, columns=2, grid=4, planes=8),
        framing="matte",
    )


@pytest.fixture(scope="session")
def fill():
    """Fills a tree of shapes with numbers of realistic magnitude for trained weights, without JAX's random numbers."""

    def filled(shapes, seed: int = 0):
        rng = np.random.default_rng(seed)

        def leaf(path, shape):
            name = path[-1].key
            if "kernel" in name:
                return rng.normal(0, np.prod(shape.shape[:-1]) ** -0.5, shape.shape).astype(np.float32)
            around = 1.0 if name in ("scale", "var") else 0.0
            return (around + rng.uniform(-0.3, 0.3, shape.shape)).astype(np.float32)

        return jax.tree.map_with_path(leaf, shapes)

    return filled


@pytest.fixture(scope="session")
def filled(fill):
    """Networks -> (params, batch_stats), as NumPy arrays."""
    return lambda networks: fill(jax.eval_shape(networks.init, jax.random.key(0)))


@pytest.fixture(scope="session")
def write_dataset():
    """(folder, records by split, settings): writes a dataset of the category box, as preparation does."""
    from imfield_jax.dataset.storage import build_dataset
    from imfield_jax.preparation.record_file import write_record
    from imfield_jax.preparation.work_folder import WorkFolder
    from imfield_jax.sources.scene import Scene
    from imfield_jax.sources.shape import Shape

    def written(folder, records, **settings):
        work, shapes = WorkFolder(folder / "work", {"category": "box", **settings}), []
        for split, made in records.items():
            for record in made:
                shapes.append(Shape(record.name, split, load=lambda: Scene(())))
                write_record(work.record(shapes[-1]), record, {"status": "ok"})
        work.write_index(shapes, "CC0 1.0")
        build_dataset(work.path, folder)

    return written


def _random_record(name: str, seed: int) -> Record:
    rng = np.random.default_rng(seed)
    solid = np.zeros((256,) * 3, bool)
    for low in rng.integers(0, 200, (5, 3)):
        solid[tuple(slice(a, a + 50) for a in low)] = True
    points = {level: rng.integers(256, size=(size, 3), dtype=np.uint8) for level, size in LEVEL_SIZES.items()}
    views = rng.integers(256, size=(VIEWS, 137, 137, 4), dtype=np.uint8)
    views[:, : 20 + seed, :, 3] = 0  # something to crop
    return Record(
        name=name,
        voxels=voxels64(solid),
        points=points,
        values={level: solid[tuple(chosen.T)].astype(np.uint8) for level, chosen in points.items()},
        solid=solid,
        views=views,
        cameras=rng.random((VIEWS, 4), dtype=np.float32),
        center=rng.random(3, dtype=np.float32),
        scale=np.float32(1.5),
        diagnostics={},
    )


@pytest.fixture(scope="session")
def random_record():
    """(name, seed) -> a record of boxes, with random images and points."""
    return _random_record


@pytest.fixture(scope="session")
def records() -> dict[str, dict[str, Record]]:
    """Records by split and name."""
    return {
        split: {f"box/{split}{i}": _random_record(f"box/{split}{i}", i) for i in range(size)}
        for split, size in SPLIT_SIZES.items()
    }


@pytest.fixture(scope="session")
def data_dir(records, write_dataset, tmp_path_factory):
    """A data directory as written by preparation."""
    root = tmp_path_factory.mktemp("box")
    write_dataset(root, {split: named.values() for split, named in records.items()}, views=VIEWS)
    return root
