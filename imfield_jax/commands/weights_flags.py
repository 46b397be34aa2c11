"""Which weights a command reads: a file, a training run's folder, or a category that comes with the package."""

from __future__ import annotations

from pathlib import Path

from imfield_jax.inference.model import DEFAULT, run_weights, shipped_weights


def chosen_weights(weights: str | None, run: str | None, category: str | None = None, default: str = DEFAULT) -> Path:
    """The weights file that --weights, --run or --category names; those of the default category if none does.

    Raises ValueError if more than one is given or no weights ship for the category, and OSError if the file is
    missing.
    """
    given = {"--weights": weights, "--run": run, "--category": category}
    named = [flag for flag, value in given.items() if value]
    if len(named) > 1:
        raise ValueError(f"{' and '.join(named)} each choose the weights: give one of them")
    if weights:
        return _existing(Path(weights))
    return run_weights(run) if run else shipped_weights(category or default)


def _existing(path: Path) -> Path:
    if path.is_dir():
        raise IsADirectoryError(
            f"--weights: {path} is a folder, expected a weights file (.npz); a run's folder is --run"
        )
    if not path.exists():
        raise FileNotFoundError(f"--weights: {path} does not exist, expected a weights file (.npz)")
    return path
