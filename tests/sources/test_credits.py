"""Credits of meshes in a CSV file."""

from __future__ import annotations

import csv

from imfield_jax.sources import credits
from imfield_jax.sources.shape import Shape


def test_credits_are_written_for_the_shapes_that_have_one(tmp_path):
    credited = Shape("chair/b", "train", lambda: None, credit=credits.credit("Ann, B | C", "CC0", "lib"))
    plain = Shape("chair/a", "train", lambda: None)
    assert credits.write([plain], tmp_path) is None
    assert not any(tmp_path.iterdir())
    path = credits.write([credited, plain], tmp_path)
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{"name": "chair/b", "author": "Ann, B / C", "licence": "CC0", "origin": "lib"}]
    assert [item.name for item in tmp_path.iterdir()] == [credits.FILE_NAME]


def test_the_credit_of_a_combination_names_both():
    ada, bo = credits.credit("Ada", "CC0", "here"), credits.credit("Bo", "CC0", "")
    assert credits.joined(ada, bo) == credits.credit("Ada; Bo", "CC0", "here")
    assert credits.joined(ada, ada) == credits.joined(ada, "") == credits.joined("", ada) == ada
    assert credits.joined("", "") == ""
