"""Gradients of a field, and vertex normals from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import Float

from imfield_jax.extraction.chunked import CHUNK, ChunkedField, chunked
from imfield_jax.fields import Field
from imfield_jax.mesh.normals import unit, vertex_normals
from imfield_jax.types import Array, Mesh


def gradient(field: Field, chunk: int = CHUNK) -> ChunkedField:
    """The gradient of a jax field by autodiff, compiled, per cube unit.

    Every field compiles separately; `evaluator(jax.grad(evaluate, argnums=1))` serves all objects at once.
    """
    return chunked(jax.jit(jax.vmap(jax.grad(field))), chunk)


def with_gradient_normals(mesh: Mesh, gradient: Callable[[Float[np.ndarray, "V 3"]], Float[Array, "V 3"]]) -> Mesh:
    """The mesh with the normals of the level set at its vertices, opposite to the field's gradient.

    They are smoother than triangle normals, as they do not depend on the lattice. The area-weighted normal
    replaces them where the gradient vanishes or is not finite (a flat field) and where it points into the
    surface (at creases, where the nearest sample of the gradient can belong to the other side).
    """
    by_area = vertex_normals(mesh) if mesh.normals is None else mesh.normals
    if not len(mesh.vertices):
        return dataclasses.replace(mesh, normals=by_area)
    normals, sound = unit(-np.asarray(gradient(mesh.vertices)))
    sound &= (normals * by_area).sum(axis=1) > 0
    return dataclasses.replace(mesh, normals=np.where(sound[:, None], normals, by_area))
