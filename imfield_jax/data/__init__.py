"""Datasets: from meshes to batches. Whoever imports this package can name its dataset to TFDS.

`tfds.load("imfield_shapes/car", data_dir="data/car")` works after `import imfield_jax.data`, whichever of the two
is imported first. Neither TFDS nor the builder is imported for that: most of this package needs neither, and TFDS
would cost every worker process half a second.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imfield_jax.data.builder import ImfieldShapes

NAME = "imfield_shapes"
_REGISTRY = "tensorflow_datasets.core.registered"


class _Provider:
    """A `DatasetBuilderProvider` of TFDS, which asks it for datasets by name."""

    def has_dataset(self, name: str) -> bool:
        return name == NAME

    def get_builder_cls(self, name: str) -> type[ImfieldShapes]:
        from imfield_jax.data.builder import ImfieldShapes

        return ImfieldShapes


class _Watch(importlib.abc.MetaPathFinder):
    """Has TFDS ask our provider, as soon as its registry is imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != _REGISTRY:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module

        def execute_and_register(module: ModuleType) -> None:
            execute(module)
            _register(module)

        spec.loader.exec_module = execute_and_register  # each module has a loader of its own
        return spec


def _register(registry: ModuleType) -> None:
    # Before TFDS's own, which would import all the datasets that it knows to look for ours.
    registry.add_dataset_builder_provider(_Provider(), index=0)


if _REGISTRY in sys.modules:
    _register(sys.modules[_REGISTRY])
else:
    sys.meta_path.insert(0, _Watch())
