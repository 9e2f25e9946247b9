"""What Prometheus is told, in a registry of the application's own, so that two in one process do not collide."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from glyphlet import __version__
from glyphlet.runtime.metadata import Metadata

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
LINES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counts what a server does.

    Args:
        metadata: of the model that it reads with.
    """

    def __init__(self, metadata: Metadata) -> None:
        self.registry = CollectorRegistry()
        self.cut_off = 0  # requests that had not ended when the time to stop was over
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "glyphlet_requests", "Answers, by path and status.", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "glyphlet_read_seconds", "Seconds from the head of a request to /v1/read to its answer.", buckets=SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.lines = Counter("glyphlet_lines", "Lines, by result: read or failed.", ["result"], registry=self.registry)
        self.batch = Histogram(
            "glyphlet_batch_lines", "Lines that a worker took together.", buckets=LINES, registry=self.registry
        )
        self.queue = Gauge("glyphlet_queue_lines", "Lines that wait now.", registry=self.registry)
        model = Gauge(
            "glyphlet_model_info", "The model; always 1.", ["name", "head", "version"], registry=self.registry
        )
        model.labels(metadata.name, metadata.head, __version__).set(1)
        for result in ("read", "failed"):
            self.lines.labels(result)

    def watch_queue(self, length: Callable[[], int]) -> None:
        """Ask this for the lines that wait, whenever Prometheus asks."""
        self.queue.set_function(length)

    def page(self) -> bytes:
        """Everything, in the text format of Prometheus."""
        return generate_latest(self.registry)


__all__ = ["LINES", "SECONDS", "Metrics"]
