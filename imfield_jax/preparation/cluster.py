"""Jobs on the workers of an Apache Beam runner: `workers.run_jobs` for several machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imfield_jax.preparation import workers

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners import PipelineRunner

_MAX_BATCH = 8  # jobs; they share the start of a process, which takes as long as one or two jobs
_MIN_BATCHES = 32  # to distribute over the workers


def run_jobs(
    work: Callable[[Any], Any],
    jobs: Sequence[Any],
    processes: int,
    seconds: float,
    mebibytes: int | None,
    *,
    outcomes: Path,
    runner: PipelineRunner | str | None,
    options: PipelineOptions | None,
) -> Iterator[tuple[int, Any, str]]:
    """As `workers.run_jobs`, with `processes` in each worker of the runner; yields after all jobs have finished.

    Each job runs in its own process there too, so that a crash or a hang does not cost a worker. Results must be JSON.
    They are returned through `outcomes`, a file that this process and the workers access by the same path.
    """
    if not jobs:
        return
    import apache_beam as beam

    numbered = list(enumerate(jobs))
    size = min(_MAX_BATCH, max(1, len(jobs) // _MIN_BATCHES))
    batches = [numbered[start : start + size] for start in range(0, len(numbered), size)]
    with beam.Pipeline(runner=runner, options=options) as pipeline:
        _ = (
            pipeline
            | beam.Create(batches)
            | beam.Reshuffle()
            | beam.FlatMap(_run_batch, work, processes, seconds, mebibytes)
            | beam.combiners.ToList()
            | beam.Map(_write, str(outcomes))
        )
    yield from json.loads(outcomes.read_text())
    outcomes.unlink()


def _run_batch(
    batch: list[tuple[int, Any]],
    work: Callable[[Any], Any],
    processes: int,
    seconds: float,
    mebibytes: int | None,
) -> Iterator[tuple[int, Any, str]]:
    jobs = [job for _, job in batch]
    for place, result, why in workers.run_jobs(work, jobs, processes, seconds, mebibytes):
        yield batch[place][0], result, why


def _write(results: list[tuple[int, Any, str]], path: str) -> None:
    Path(path).write_text(json.dumps(sorted(results, key=lambda result: result[0])))
