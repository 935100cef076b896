"""Figures that all machines report alike, as families of prometheus-client; imported only where metrics are enabled.

Names follow Prometheus' conventions: base units, `_total` of counters. No label holds the name of a person.
"""

import importlib.metadata
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric

from shared.link.interface import LinkState
from shared.metrics.latencies import LatencyCounts
from shared.refusals import Refusals


def gauge(name: str, what: str, value: float) -> Metric:
    """A figure that goes up and down."""
    return GaugeMetricFamily(name, what, value=float(value))


def gauges(name: str, what: str, label: str, values: Mapping[str, float]) -> Metric:
    """Such a figure for each value of one label."""
    family = GaugeMetricFamily(name, what, labels=[label])
    for of, value in values.items():
        family.add_metric([of], float(value))
    return family


def counter(name: str, what: str, value: float) -> Metric:
    """A count since the process started; `name` without `_total`, which the format adds."""
    return CounterMetricFamily(name, what, value=float(value))


def counters(name: str, what: str, label: str, values: Mapping[str, float]) -> Metric:
    """Such a count for each value of one label."""
    family = CounterMetricFamily(name, what, labels=[label])
    for of, value in values.items():
        family.add_metric([of], float(value))
    return family


def histogram(name: str, what: str, counts: LatencyCounts) -> Metric:
    """How long something took, in seconds."""
    return HistogramMetricFamily(name, what, buckets=list(counts.buckets), sum_value=counts.sum_s)


def build_info(machine: str) -> Metric:
    """Which release this is, of which machine ("station")."""
    version = importlib.metadata.version("raceday")
    return InfoMetricFamily("raceday_build", "The release that runs.", value={"machine": machine, "version": version})


def common(refusals: Refusals, folder: Path, connections: int) -> Iterator[Metric]:
    """Refusals, disk and connections. `folder`: on the disk that the machine writes to."""
    what = "Requests, messages and codes that were refused."
    yield counters("raceday_refusals", what, "kind", refusals.totals())
    yield gauge("raceday_web_connections", "Open connections of the pages' server.", connections)
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        free = 0  # a disk that does not answer has no room
    yield gauge("raceday_disk_free_bytes", "Free space on the disk of the data.", free)


def mqtt(state: LinkState) -> Iterator[Metric]:
    """The link to the broker."""
    yield gauge("raceday_mqtt_connected", "1 while the broker answers.", state.connected)
    yield gauge("raceday_mqtt_queued_messages", "Messages that wait to be sent.", state.queued)
    yield counter("raceday_mqtt_dropped_messages", "Messages that were given up.", state.dropped)
    yield counter("raceday_mqtt_malformed_messages", "Messages that arrived and could not be decoded.", state.malformed)
