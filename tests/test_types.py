"""Annotated shapes are checked during the tests, and every public array has one.

A wrong shape or dtype raises where it is passed. A signature without a shape would silently skip the check.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError

import imfield_jax
from imfield_jax.batches import PointBatch
from imfield_jax.training.losses import latent_loss
from imfield_jax.types import Mesh

LIBRARY = Path(imfield_jax.__file__).parent
CONTAINERS = {"ndarray", "Array", "SameArray"}
# Public arrays without a shape in their annotation, as they are checked explicitly, with a readable message.
UNSHAPED = {
    "framing.frame": "the image of a caller",
    "inference.model.Model.view": "the image of a caller",
    "mesh.sampling.SurfacePoints.normals": "a surface of a caller",
    "mesh.sampling.SurfacePoints.points": "a surface of a caller",
}


def test_a_wrong_shape_is_caught():
    with pytest.raises(TypeCheckError, match="vertices"):
        Mesh(np.zeros((4, 2), np.float32), np.zeros((1, 3), np.int32))


def test_a_wrong_dtype_is_caught():
    with pytest.raises(TypeCheckError, match="faces"):
        Mesh(np.zeros((4, 3), np.float32), np.zeros((1, 3), np.float32))


def test_a_dimension_has_one_value_throughout_a_call():
    with pytest.raises(TypeCheckError, match="target"):
        latent_loss(jnp.zeros((2, 8)), jnp.zeros((2, 7)))


def test_the_fields_of_a_batch_agree():
    arrays = np.zeros(2, np.int32), np.zeros((2, 64, 64, 64), np.uint8), np.zeros((2, 5, 3), np.float32)
    with pytest.raises(TypeCheckError, match="occupancy"):
        PointBatch(*arrays, np.zeros((2, 6), np.float32))


def test_every_public_array_has_a_shape():
    modules = {".".join(path.relative_to(LIBRARY).with_suffix("").parts): path for path in LIBRARY.rglob("*.py")}
    trees = {name: ast.parse(path.read_text()) for name, path in modules.items()}
    assert {f"{module}.{name}" for module, tree in trees.items() for name in unshaped(tree)} == UNSHAPED.keys()


@pytest.mark.parametrize(
    "source",
    [
        "def f(x: np.ndarray): ...",
        "def f(*x: Array): ...",
        "def f(x: int) -> tuple[int, jax.Array | None]: ...",
        "def f(x: Callable[[np.ndarray], int]): ...",
        "class f:\n    x: dict[str, np.ndarray]",
        "class f:\n    x: tuple[np.ndarray, ...]",
    ],
)
def test_an_array_without_a_shape_is_found_in_any_position(source):
    assert [name.partition(".")[0] for name in unshaped(ast.parse(source))] == ["f"]


def test_a_shape_or_a_private_name_is_accepted():
    shaped = "def f(x: Float[np.ndarray, 'N'], *, y: list[Int[Array, '']]) -> Bool[np.ndarray, 'N'] | None: ..."
    assert not list(unshaped(ast.parse(f"{shaped}\ndef _f(x: np.ndarray): ...")))


def unshaped(scope: ast.AST, prefix: str = "") -> Iterator[str]:
    """Public functions, methods and fields of a module or class whose annotations have an array without a shape."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.AnnAssign) and isinstance(scope, ast.ClassDef):
            name, annotations = ast.unparse(node.target), [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            arguments = [node for node in ast.walk(node.args) if isinstance(node, ast.arg)]
            name, annotations = node.name, [argument.annotation for argument in arguments] + [node.returns]
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from unshaped(node, f"{prefix}{node.name}.")
            continue
        else:
            continue
        if not name.startswith("_") and any(_bare(annotation) for annotation in annotations if annotation):
            yield prefix + name


def _bare(annotation: ast.AST) -> bool:
    """Whether a container of arrays occurs outside `dtype[container, "shape"]`."""
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.slice, ast.Tuple):
        container, *shape = annotation.slice.elts
        if (
            _names_array(container)
            and len(shape) == 1
            and isinstance(shape[0], ast.Constant)
            and shape[0].value is not ...
        ):
            return False
    return _names_array(annotation) or any(_bare(child) for child in ast.iter_child_nodes(annotation))


def _names_array(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).rpartition(".")[2] in CONTAINERS
