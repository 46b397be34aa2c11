"""Counters and durations in the format of Prometheus."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from imfield_jax.server.jobs import Job, Jobs

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Of one server, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._ended = Counter(
            "imfield_reconstructions", "Reconstructions that ended.", ["state"], registry=self._registry
        )
        self._refused = Counter(
            "imfield_refused", "Reconstructions refused because the queue was full.", registry=self._registry
        )
        self._seconds = Histogram(
            "imfield_reconstruction_seconds", "Duration of reconstructions that succeeded.", registry=self._registry
        )
        self._waiting = Gauge("imfield_waiting", "Reconstructions that wait.", registry=self._registry)

    def ended(self, job: Job) -> None:
        self._ended.labels(job.state.value).inc()
        if job.result is not None and job.started is not None and job.ended is not None:
            self._seconds.observe(job.ended - job.started)

    def refused(self) -> None:
        self._refused.inc()

    def encode(self, jobs: Jobs) -> bytes:
        self._waiting.set(jobs.queued)
        return generate_latest(self._registry)
