"""Figures for Prometheus: what the store says, what the switchboard says of itself, and what the web service did."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from callserver.control import Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class WebCounts:
    """Counters of one app; a registry of its own, so that two apps in a process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("callserver_web_requests", "Answered requests.", ["method", "status"], registry=self.registry)


class _Snapshot(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def page(
    counts: WebCounts,
    by_state: Mapping[str, Mapping[str, int]] | None,
    status: Status | None,
    own: Mapping[str, tuple[str, int]],
) -> bytes:
    """The text of /metrics.

    `by_state` is figure -> state -> count, None when the store cannot be read; `own` the web process's: name -> (text, value).
    """
    metrics = [
        _gauge("callserver_store_readable", "Whether the store could be read.", float(by_state is not None)),
        _gauge("callserver_switchboard_up", "Whether the switchboard answers.", float(status is not None)),
        *(_gauge(f"callserver_web_{name}", text, float(value)) for name, (text, value) in own.items()),
    ]
    for figure, states in (by_state or {}).items():
        family = GaugeMetricFamily(f"callserver_{figure}", f"Present {figure}, by state.", labels=["state"])
        for state, count in sorted(states.items()):
            family.add_metric([state], count)
        metrics.append(family)
    if status is not None:
        metrics.append(_gauge("callserver_ready", "Whether a press would be served as planned.", float(status.ready)))
        metrics.append(_gauge("callserver_facts", "Facts in the state.", float(status.facts)))
        metrics.append(_gauge("callserver_plan_version", "Version of the plan in force.", float(status.plan_version)))
        for name, value in sorted(status.figures.items()):
            metrics.append(_gauge(f"callserver_{name}", "Told by the switchboard.", value))
    registry = CollectorRegistry()
    registry.register(_Snapshot(metrics))
    return generate_latest(registry) + generate_latest(counts.registry)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)
