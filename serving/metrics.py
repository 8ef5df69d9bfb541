"""
Prometheus metrics.

BentoML's own request metrics are off: they are labelled with the path as sent, so that whoever
probes for paths fills the memory, and what is written in a path ends up in the metrics. Its
``/metrics`` only exists with them; ours has the same address and reads the same registry.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cache

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from cdss import Assessment, Model
from cdss.monitor.tally import RESULTS, Counts

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

_REQUESTS = Counter("cdss_requests_total", "Requests answered", ["route", "status"])
_SECONDS = Histogram("cdss_request_seconds", "Time to answer", ["route"], buckets=_BUCKETS)
_ASSESSMENTS = Counter(
    "cdss_assessments_total",
    "Answers of a model: an estimate, a range, points, or a refusal",
    ["model", "result"],
)
_MODELS = Gauge(
    "cdss_model_info", "Models loaded", ["model", "version", "digest"], multiprocess_mode="max"
)

# By client; `docs/monitoring.md` says how many series that can be.
_PEOPLE = Counter("cdss_people_total", "People about whom a client asked", ["client", "result"])
_BY_CLIENT = {
    "input": Counter(
        "cdss_inputs_total", "Values of the models' inputs, by bin", ["client", "variable", "bin"]
    ),
    "probability": Counter(
        "cdss_probabilities_total", "Probabilities estimated, by bin", ["client", "model", "bin"]
    ),
    "refusal": Counter(
        "cdss_refusals_total", "Reasons why a model did not answer", ["client", "model", "reason"]
    ),
    "problem": Counter(
        "cdss_problems_total",
        "People of whom something was sent that could not be used",
        ["client", "variable", "problem"],
    ),
}

# Looking a child up by its labels costs more than counting; there are few.
_requests, _seconds, _assessments = (
    cache(metric.labels) for metric in (_REQUESTS, _SECONDS, _ASSESSMENTS)
)


def count_request(route: str, status: int, seconds: float) -> None:
    """
    Count a request.

    Parameters
    ----------
    route : str
        Its route's template.
    status : int
        HTTP status of the answer.
    seconds : float
        Time to answer.
    """
    _requests(route, status).inc()
    _seconds(route).observe(seconds)


def count_assessments(assessments: Iterable[Assessment]) -> None:
    """
    Count what the models answered.

    Parameters
    ----------
    assessments : iterable of Assessment
        Assessments sent to a client.
    """
    for assessment in assessments:
        for outcome in assessment.outcomes:
            _assessments(outcome.model, RESULTS[type(outcome)]).inc()


def show_counts(client: str, counts: Counts) -> None:
    """
    Add to the counts of a client.

    Parameters
    ----------
    client : str
        Name in the file of clients.
    counts : Counter
        What to add. Reasons lose what they are about, and models their version: fewer series.
    """
    for key, n in counts.items():
        if key.kind in _BY_CLIENT:
            name, part = key.name, key.part
            if key.kind in ("probability", "refusal"):
                name, part = name.split("@")[0], part.split(" ")[0]
            _BY_CLIENT[key.kind].labels(client, name, part).inc(n)
        elif not key.name:
            _PEOPLE.labels(client, key.kind).inc(n)


def show_models(models: Sequence[Model]) -> None:
    """
    Show which models are loaded.

    Parameters
    ----------
    models : sequence of RiskModel or PointsScore
        The loaded models.
    """
    for model in models:
        _MODELS.labels(model.id, model.version, model.facts.get("digest", "")).set(1)


def exposition() -> bytes:
    """
    Write all metrics in the Prometheus text format.

    Returns
    -------
    bytes
        Of this process; of all workers where BentoML runs several (it sets the variable).
    """
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    workers = CollectorRegistry()
    MultiProcessCollector(workers)
    return generate_latest(workers)
