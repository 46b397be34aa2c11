"""Whether a view resembles those that a network was trained on.

Networks reconstruct every image as something that they know. What tells a picture of something else is how far the
code of its view is from the codes of the training views (Sun et al. 2022, "Out-of-distribution detection with deep
nearest neighbors"). How far is too far, held-out views of known objects say.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float

_NEIGHBOUR = 5  # which of the most similar codes counts: one may be similar by chance
_STRANGE = 0.03  # share of the held-out views that are taken for views of something else


@dataclasses.dataclass(frozen=True)
class Familiarity:
    """middle: the mean code of training views.   codes: their deviations from it, of length 1.

    limit: the similarity below which a view shows something else.
    """

    middle: Float[np.ndarray, " C"]
    codes: Float[np.ndarray, "N C"]
    limit: float

    def similarities(self, codes: Float[np.ndarray, "B C"]) -> Float[np.ndarray, " B"]:
        """Of views with these codes: cosines in [-1, 1], of the angle to the fifth most similar training view."""
        found = _directions(codes - self.middle) @ self.codes.T
        place = min(_NEIGHBOUR, found.shape[1])
        return -np.partition(-found, place - 1, axis=1)[:, place - 1]

    def note(self, code: Float[np.ndarray, " C"]) -> str | None:
        """For the user, if a view with this code shows something else."""
        similarity = float(self.similarities(code[None])[0])
        if similarity >= self.limit:
            return None
        return (
            f"the image looks unlike all that the network was trained on (similarity {similarity:.3f}, "
            f"{1 - _STRANGE:.0%} of known objects have {self.limit:.3f} or more): the mesh may be of something else"
        )


def familiarity(trained: Float[np.ndarray, "N C"], held_out: Float[np.ndarray, "M C"]) -> Familiarity:
    """Of a network that gives its training views, and views of other objects of their kinds, these codes.

    Raises ValueError when there are no training views, or no others.
    """
    if not (len(trained) and len(held_out)):
        raise ValueError(f"expected views trained on and held out, found {len(trained)} and {len(held_out)}")
    middle = trained.mean(axis=0)
    found = Familiarity(middle, _directions(trained - middle), -1.0)
    return dataclasses.replace(found, limit=float(np.quantile(found.similarities(held_out), _STRANGE)))


def _directions(codes: np.ndarray) -> np.ndarray:
    return codes / np.maximum(np.linalg.norm(codes, axis=1, keepdims=True), 1e-9)
