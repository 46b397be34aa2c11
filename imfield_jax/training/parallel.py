"""How a step is spread over devices: one mesh axis, `data`; the only file that knows of devices.

The state is on every device, the batch is cut along its first axis, and XLA inserts the sums. This
is what takes `pmap`'s place in today's JAX (`pmap` itself is now written over the same mechanism):
batch normalisation sees the global batch, and no step mentions an axis name.
"""

from __future__ import annotations

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from imfield_jax.training.steps import Step


def data_mesh(devices: int | None = None) -> Mesh:
    """The local devices, or the first `devices` of them, as one axis named "data".

    Raises ValueError when there are fewer.
    """
    found = jax.local_devices()
    if devices is not None and devices > len(found):
        raise ValueError(f"--devices: expected at most {len(found)}, as there are here, found {devices}")
    return Mesh(np.array(found[:devices]), ("data",), axis_types=(AxisType.Auto,))


def everywhere(mesh: Mesh) -> NamedSharding:
    """A copy on each device."""
    return NamedSharding(mesh, PartitionSpec())


def along_batch(mesh: Mesh) -> NamedSharding:
    """Cut along the first axis."""
    return NamedSharding(mesh, PartitionSpec("data"))


def parallel_step(step: Step, mesh: Mesh) -> Step:
    """The step compiled for the mesh, once; the state it is given is donated."""
    same, cut = everywhere(mesh), along_batch(mesh)
    return jax.jit(step, donate_argnums=0, in_shardings=(same, cut, same), out_shardings=(same, same))


def goes_one_by_one(mesh: Mesh) -> bool:
    """Whether shapes of a batch are better decoded in sequence (see `Networks.logits`): on a single CPU."""
    return mesh.size == 1 and mesh.devices.item().platform == "cpu"
