"""The models of a server, loaded when they are first needed and compiled before the first request."""

from __future__ import annotations

import threading

from imfield_jax.inference.model import SHIPPED
from imfield_jax.inference.reconstructor import Reconstructor


class Models:
    """Shipped weights by category."""

    def __init__(self, categories: list[str]):
        self.categories = categories
        self._loaded: dict[str, Reconstructor] = {}
        self._lock = threading.Lock()

    def __getitem__(self, category: str) -> Reconstructor:
        with self._lock:
            if category not in self._loaded:
                self._loaded[category] = Reconstructor.shipped(category)
            return self._loaded[category]

    def warm_up(self) -> None:
        """Load and compile all, with the sample images."""
        for category in self.categories:
            self[category](SHIPPED / f"{category}.png", resolution=32, color=True)
