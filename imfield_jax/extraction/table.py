"""Sorted tables of lattice keys: known values on the lattice, without an array of its size.

Keys are int64, strictly increasing. Look-ups are binary searches with sorted queries, which walk
the table once and stay in the cache; numpy's own set functions are avoided because they hash or sort
keys that are already sorted (measured 10 to 20 times slower on a million keys).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Bool, Float32, Int64


def sorted_unique(keys: Int64[np.ndarray, " N"]) -> Int64[np.ndarray, " n"]:
    """The distinct keys in increasing order. Fast where keys are a few sorted runs in a row."""
    keys = np.sort(keys, kind="stable")  # merges runs: 9 times faster than the default on eight of them
    first = np.ones(len(keys), bool)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    return keys[first]


def find(
    table: Int64[np.ndarray, " N"], keys: Int64[np.ndarray, "*shape"]
) -> tuple[Int64[np.ndarray, "*shape"], Bool[np.ndarray, "*shape"]]:
    """Row of each key in a sorted table and whether it is there.

    The row of an absent key is some row of the table (0 in an empty table) and is meaningless.
    """
    if not len(table):
        return np.zeros(keys.shape, np.int64), np.zeros(keys.shape, bool)
    rows = np.minimum(np.searchsorted(table, keys), len(table) - 1)
    return rows, table[rows] == keys


def merge(
    table: Int64[np.ndarray, " N"], keys: Int64[np.ndarray, " n"]
) -> tuple[Int64[np.ndarray, " N+n"], Int64[np.ndarray, " n"]]:
    """Two sorted key arrays without common keys as one, and the rows of the second in it."""
    rows = np.searchsorted(table, keys) + np.arange(len(keys))
    merged = np.empty(len(table) + len(keys), np.int64)
    kept = np.ones(len(merged), bool)
    kept[rows] = False
    merged[rows], merged[kept] = keys, table
    return merged, rows


@dataclasses.dataclass(frozen=True)
class Table:
    """One row of values for each key; the keys are sorted."""

    keys: Int64[np.ndarray, " N"]
    values: Float32[np.ndarray, " N *shape"]

    def with_rows(self, keys: Int64[np.ndarray, " n"], values: Float32[np.ndarray, " n *shape"]) -> Table:
        """The table with rows added; `keys` is sorted and has no key of the table."""
        merged, rows = merge(self.keys, keys)
        kept = np.ones(len(merged), bool)
        kept[rows] = False
        joined = np.empty((len(merged), *self.values.shape[1:]), np.float32)
        joined[rows], joined[kept] = values, self.values
        return Table(merged, joined)
