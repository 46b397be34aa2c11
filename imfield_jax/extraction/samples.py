"""The cache of field values on the lattice."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int, Int64, Real

from imfield_jax.extraction import table
from imfield_jax.extraction.chunked import ChunkedField
from imfield_jax.extraction.lattice import Lattice
from imfield_jax.extraction.phases import Phases


class Samples:
    """Caches values and evaluates the field only at new nodes, so that none is evaluated twice.

    Nodes on the ring around the grid and beyond are -inf (empty) and never evaluated.
    Values are float32, independent of the precision that the field computes in.

    evaluated: field evaluations so far, by object.
    replaced:  sorted keys of the nodes whose values are no longer the field's, [n] int64.
    """

    def __init__(self, lattice: Lattice, field: ChunkedField, phases: Phases):
        self.lattice = lattice
        self.evaluated: Int64[np.ndarray, " objects"] = np.zeros(lattice.objects, np.int64)
        self._field = field
        self._phases = phases
        self._known = table.Table(np.zeros(0, np.int64), np.zeros(0, np.float32))
        self.replaced = np.zeros(0, np.int64)

    def at(self, keys: Int64[np.ndarray, " n"]) -> Float32[np.ndarray, " n"]:
        """Values of nodes, given by their keys, sorted and without repetition.

        Raises ValueError when the field returns values that are not finite.
        """
        rows, known = table.find(self._known.keys, keys)
        values = np.full(len(keys), -np.inf, np.float32)
        values[known] = self._known.values[rows[known]]
        if not known.all():
            indices = self.lattice.indices(keys)
            unknown = ~known & self.lattice.in_cube(indices)
            values[unknown] = self.evaluate(indices[unknown], self.lattice.owners(keys[unknown]))
            self._known = self._known.with_rows(keys[~known], values[~known])
        return values

    def replace(self, keys: Int64[np.ndarray, " n"], values: Float32[np.ndarray, " n"]) -> None:
        """Replace the values of nodes; keys are sorted and without repetition."""
        kept = np.ones(len(self._known.keys), bool)
        rows, found = table.find(self._known.keys, keys)
        kept[rows[found]] = False
        self._known = table.Table(self._known.keys[kept], self._known.values[kept]).with_rows(keys, values)
        self.replaced = table.sorted_unique(np.concatenate([self.replaced, keys]))

    def forget(self, before: int | np.int64) -> None:
        """Drop the values of nodes with smaller keys, which will not be needed again."""
        first = np.searchsorted(self._known.keys, before)
        self._known = table.Table(self._known.keys[first:], self._known.values[first:])

    def evaluate(self, indices: Real[np.ndarray, "n 3"], owners: Int[np.ndarray, " n"]) -> Float32[np.ndarray, " n"]:
        """The field at (fractional) grid indices of these objects, not cached.

        Raises ValueError when the field returns values that are not finite.
        """
        chunk = self._field.chunk
        self.evaluated += np.bincount(owners, minlength=self.lattice.objects)
        with self._phases("evaluate"):
            blocks = (slice(start, start + chunk) for start in range(0, len(indices), chunk))
            values = self._field.stream((self.lattice.points(indices[block]), owners[block]) for block in blocks)
        wrong = np.count_nonzero(~np.isfinite(values))
        if wrong:
            raise ValueError(f"the field must be finite, but {wrong} of {len(indices)} values are not")
        return values
