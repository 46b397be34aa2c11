"""Checkpoints: the only file that uses Orbax.

A checkpoint is the `TrainState` after a number of updates of the run. Orbax writes it under
another name and renames it, so a kill while saving leaves the previous one. Orbax does not delete
atomically, so `newest` falls back to an older one when the newest cannot be read.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import jax
import orbax.checkpoint as ocp

from imfield_jax.training.state import TrainState

_MARGIN = 1 << 20  # bytes, for metadata
_KEPT = 2  # the newest, and one to fall back to


class Checkpoints:
    """The checkpoints of one run folder. Close it, or use it in a `with` statement: saving is asynchronous."""

    def __init__(self, folder: Path | str):
        options = ocp.CheckpointManagerOptions(max_to_keep=_KEPT, cleanup_tmp_directories=True)
        # Without the handler a manager knows the shapes of its own checkpoints only, not of existing ones.
        handler = ocp.StandardCheckpointHandler()
        self._folder = Path(folder).resolve()
        self._manager = ocp.CheckpointManager(self._folder, options=options, item_handlers=handler)

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(self, *exception: object) -> None:
        self._manager.wait_until_finished()
        self._manager.close()

    def save(self, step: int, state: TrainState) -> None:
        """Save the state after `step` updates of the run; the state is copied before this returns."""
        if step in self._manager.all_steps():
            self._manager.delete(step)  # it could not be read, or the run would have resumed from it
        self._check_space(state)
        self._manager.save(step, args=ocp.args.StandardSave(state), force=True)

    def _check_space(self, state: TrainState) -> None:
        """Raises OSError if the disk is full: Orbax's writing threads would report it in a thousand lines."""
        self._manager.wait_until_finished()
        needed = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
        free = shutil.disk_usage(self._folder).free
        if free < needed + _MARGIN:
            raise OSError(
                f"no space left for a checkpoint in {self._folder}: it takes {needed / 1e6:.0f} MB "
                f"and {free / 1e6:.0f} MB are free; make room and rerun the same command to resume"
            )

    def steps(self) -> list[int]:
        """The steps of all checkpoints, newest first."""
        return sorted(self._manager.all_steps(), reverse=True)

    def newest(
        self, like: Callable[[int], TrainState], warned: Callable[[int, str], None]
    ) -> tuple[int, TrainState] | None:
        """The newest checkpoint that can be read, as its step and state; None if there are none at all.

        like:   the state to expect after a number of steps, see `restore`.
        warned: is told of each checkpoint that cannot be read.
        Raises ValueError if there are some and none can be read.
        """
        problem = None
        for step in self.steps():
            try:
                return step, self.restore(step, like(step))
            except ValueError as error:
                problem = error
                warned(step, f"{error}; trying the previous checkpoint")
        if problem is not None:
            raise ValueError(
                f"no checkpoint of this run can be read: {problem}; "
                f"choose another --run, or move {self._folder} away to start over"
            )
        return None

    def restore(self, step: int, like: TrainState) -> TrainState:
        """The state after `step` updates. like: shapes, dtypes and shardings to expect.

        Raises ValueError that names the first leaf with another shape, or for damaged files.
        """
        try:
            self._check(step, like)
            return self._manager.restore(step, args=ocp.args.StandardRestore(like))
        except (OSError, KeyError, ValueError) as error:
            raise ValueError(f"checkpoint {step} cannot be read: {error}") from error

    def _check(self, step: int, like: TrainState) -> None:
        found = self._manager.item_metadata(step)
        if found is None:
            raise ValueError("its metadata file is missing")
        saved = {_leaf_name(path): tuple(leaf.shape) for path, leaf in jax.tree.leaves_with_path(found.tree)}
        for path, leaf in jax.tree.leaves_with_path(like):
            name = _leaf_name(path)
            if saved.get(name) != tuple(leaf.shape):
                raise ValueError(f"leaf {name} has shape {saved.get(name)}, expected {tuple(leaf.shape)}")


def _leaf_name(path: tuple) -> str:
    """A path in a pytree, the same for a dataclass and for the nested dicts that Orbax stores it as."""
    keys = (getattr(key, "name", getattr(key, "key", getattr(key, "idx", None))) for key in path)
    return "/".join(str(key) for key in keys)
