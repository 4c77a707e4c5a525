"""Metrics for Prometheus; in several worker processes they are gathered through files."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

MEDIA_TYPE = CONTENT_TYPE_LATEST
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """What is counted; others add theirs to `registry`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "variorum_request_seconds",
            "Requests and how long they took, by method, route and class of status.",
            ["method", "route", "status"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        # Looking a child up by its labels costs more than counting in it.
        self._children: dict[tuple[str, str, int], Histogram] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        key = (method, route, status // 100)
        child = self._children.get(key) or self._bind(key)
        child.observe(seconds)

    def render(self) -> bytes:
        """All metrics as text, of all worker processes if there are several."""
        return generate_latest(_of_all_workers() or self.registry)

    def _bind(self, key: tuple[str, str, int]) -> Histogram:
        method, route, hundreds = key
        known = method if method in _METHODS else "other"
        child = self._seconds.labels(known, route, f"{hundreds}xx")
        if known == method:  # or made-up methods would fill the memory
            self._children[key] = child
        return child


def _of_all_workers() -> CollectorRegistry | None:
    """The library decides by this variable, once, when it is imported."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return None
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
