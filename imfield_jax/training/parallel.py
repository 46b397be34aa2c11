"""Data parallelism: one mesh axis, `data`; the only file that handles devices.

The state is replicated, the batch is sharded along its first axis, and XLA inserts the all-reduces. This
replaces `pmap` in current JAX (`pmap` itself is now implemented on the same mechanism):
batch normalisation sees the global batch, and no step mentions an axis name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from imfield_jax.training.steps import Step

_PROCESS_COUNTS = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS")


def check_single_process(environment: Mapping[str, str] = os.environ) -> None:
    """Raises ValueError in a run of several processes: each would train alone and none could save."""
    counts = {name: environment.get(name, "1") for name in _PROCESS_COUNTS}
    counts["TPU_WORKER_HOSTNAMES"] = str(environment.get("TPU_WORKER_HOSTNAMES", "").count(",") + 1)
    found = [f"{name} is {count}" for name, count in counts.items() if count.isdigit() and int(count) > 1]
    if not found and jax.distributed.is_initialized() and jax.process_count() > 1:
        found = [f"jax.distributed has {jax.process_count()}"]
    if found:
        raise ValueError(
            f"training runs in one process, on all devices of one machine, found several ({', '.join(found)}): "
            "start one process on one machine"
        )


def data_mesh(devices: int | None = None) -> Mesh:
    """The local devices, or the first `devices` of them, as one axis named "data".

    Raises ValueError when there are fewer.
    """
    found = jax.local_devices()
    if devices is not None and devices > len(found):
        raise ValueError(f"--devices: expected at most {len(found)}, the number of local devices, found {devices}")
    return Mesh(np.array(found[:devices]), ("data",), axis_types=(AxisType.Auto,))


def replicated(mesh: Mesh) -> NamedSharding:
    """Sharding with a copy on each device."""
    return NamedSharding(mesh, PartitionSpec())


def batch_sharded(mesh: Mesh) -> NamedSharding:
    """Sharding along the first axis."""
    return NamedSharding(mesh, PartitionSpec("data"))


def parallel_step(step: Step, mesh: Mesh) -> Step:
    """The step compiled for the mesh, once; the state it is given is donated."""
    same, sharded = replicated(mesh), batch_sharded(mesh)
    return jax.jit(step, donate_argnums=0, in_shardings=(same, sharded, same), out_shardings=(same, same))


def sequential(mesh: Mesh) -> bool:
    """Whether shapes of a batch are better decoded in sequence (see `Networks.logits`): on a single CPU."""
    return mesh.size == 1 and mesh.devices.item().platform == "cpu"
