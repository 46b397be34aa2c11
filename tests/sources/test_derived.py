"""Names of derived shapes tell what they are made of."""

import pytest

from imfield_jax.sources.deformation import deformed
from imfield_jax.sources.derived import combination, originals, variant
from imfield_jax.sources.shape import Partial, Shape


@pytest.mark.parametrize("name", ["box/a", "box/a~b.obj", "box/c/a.b~1.obj", "box/a+b"])
def test_the_name_of_a_derived_shape_tells_the_originals(name):
    assert originals(name) == (name,)
    assert originals(variant(name, 12)) == (name,)
    assert originals(combination(name, "c/d~e")) == (name, "c/d~e")
    shape = Shape(name, "train", load=lambda: Partial({}))
    assert [originals(copy.name) for copy in deformed([shape], 2, 0)] == 2 * [(name,)]
