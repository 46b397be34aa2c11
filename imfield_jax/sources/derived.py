"""Names of training shapes that are made of others: each tells which ones."""

from __future__ import annotations

_NUMBER = "~"  # between the name of a shape and the number of a variant of it
_AND = "~+"  # between the names of two shapes that are combined


def variant(name: str, number: int) -> str:
    """The name of a variant of a shape."""
    return f"{name}{_NUMBER}{number}"


def combination(first: str, second: str) -> str:
    """The name of a shape that is made of two."""
    return f"{first}{_AND}{second}"


def originals(name: str) -> tuple[str, ...]:
    """The names of the shapes that a shape of this name is made of; of a shape of its own, the name itself."""
    parts = name.split(_AND)
    if len(parts) > 1:
        return tuple(parts)
    before, mark, number = name.rpartition(_NUMBER)
    return (before if mark and number.isdigit() else name,)
