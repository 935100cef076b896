"""What Prometheus' conventions ask of a machine's figures, as `promtool check metrics` does; by the library's parser.

Source: https://prometheus.io/docs/practices/naming/ and https://prometheus.io/docs/instrumenting/writing_exporters/.
"""

from collections.abc import Callable, Iterable

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from shared.metrics.server import Exposition

# Everything that may tell values apart: machines, gates, kinds, states; never a person.
LABELS = {"gate", "car", "kind", "state", "how", "code", "mode", "machine", "version", "le"}
MAX_SERIES = 100
UNITS_THAT_ARE_NO_BASE = ("_ms", "_us", "_ns", "_milliseconds", "_minutes", "_mb", "_kilobytes", "_percent")
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def exposed(gather: Callable[[], Iterable[Metric]]) -> dict[tuple[str, ...], float]:
    """The samples, by name and values of labels; asserts that they are as the conventions ask."""
    text = Exposition(gather).text(OPENMETRICS)[0].decode()
    read = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    families = [each for each in read if each.name.startswith("raceday_")]
    faults = [fault for family in families for fault in _faults(family)]
    assert faults == []
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


def _faults(family: Metric) -> list[str]:
    found = []
    if not family.documentation.endswith("."):
        found.append(f"{family.name} has no sentence of help")
    if family.name.endswith(UNITS_THAT_ARE_NO_BASE):
        found.append(f"{family.name} is in no base unit")
    if family.type == "unknown":
        found.append(f"{family.name} has no type")
    if family.type == "histogram" and not family.name.endswith("_seconds"):
        found.append(f"{family.name} does not say its unit")
    if family.type != "counter" and family.name.endswith(("_total", "_count")):
        found.append(f"{family.name} is called like a counter")
    if len(family.samples) > MAX_SERIES:
        found.append(f"{family.name} has {len(family.samples)} series")
    for sample in family.samples:
        if odd := set(sample.labels) - LABELS:
            found.append(f"{sample.name} has the labels {odd}")
        if family.type == "counter" and not sample.value >= 0:
            found.append(f"{sample.name} is {sample.value}")
    return found
