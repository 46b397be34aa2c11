"""Crumbs: what is left of parts too thin for a field, loose in the air or as bubbles in the solid."""

from __future__ import annotations

import dataclasses

import numpy as np

from imfield_jax.mesh.check import component_labels
from imfield_jax.mesh.normals import face_vectors
from imfield_jax.types import Mesh

CRUMB = 0.03  # of the largest piece's volume: 0.025 is the most that came loose of 100 test chairs (slats, arms)


def without_crumbs(mesh: Mesh, share: float = CRUMB) -> Mesh:
    """The mesh without its small pieces, and without the vertices that only they used.

    share: pieces that enclose less than this part of the largest piece's volume are left out; 0 keeps
           all. Pieces are connected over shared vertices; a cavity is a piece of its own.

    Pieces are kept or left out whole, so a closed mesh stays closed. Raises ValueError for a share
    outside of [0, 1].
    """
    if not 0 <= share <= 1:
        raise ValueError(f"crumbs are given as a share of the largest piece's volume, from 0 to 1, not {share}")
    if not share or not len(mesh.faces):
        return mesh
    labels = component_labels(mesh)
    corner = mesh.vertices[mesh.faces[:, 0]].astype(np.float64)
    volumes = np.abs(np.bincount(labels, (corner * face_vectors(mesh)).sum(axis=1)))
    faces = mesh.faces[(volumes >= share * volumes.max())[labels]]
    used = np.zeros(len(mesh.vertices), bool)
    used[faces] = True
    numbers = np.cumsum(used) - 1
    return dataclasses.replace(
        mesh,
        vertices=mesh.vertices[used],
        faces=numbers[faces].astype(mesh.faces.dtype),
        normals=None if mesh.normals is None else mesh.normals[used],
    )
