"""The station's figures for Prometheus, from its view and what it has counted. Called by `raceday station`.

Car names are those of certificates; `MAX_CARS` bounds how many are told, the ones that are online first.
"""

import pathlib
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.metrics_core import Metric

from shared.link.interface import LinkState
from shared.metrics import families
from shared.refusals import Refusals
from station.exports.activity import Activity
from station.views.car_views import CarView
from station.views.views import View

MAX_CARS = 64


def station_metrics(view: View, activity: Activity, journal: pathlib.Path, waiting: int) -> Iterator[Metric]:
    """All but what every machine reports. `waiting`: inputs in the queue."""
    yield from _timing(view, activity)
    yield from _storing(view, activity, journal, waiting)
    yield from _cars(view.cars)
    yield families.gauge("raceday_clock_trusted", "1 while the time of day is known to be right.", view.clock.trusted)


def _timing(view: View, activity: Activity) -> Iterator[Metric]:
    gates, counted = view.gates, activity.counts
    up = {gate.name: float(gate.alive and not gate.stuck) for gate in gates}
    yield families.gauges("raceday_gate_up", "1 while the gate is there and no sensor is blocked.", "gate", up)
    edges = {gate.name: float(gate.edges) for gate in gates}
    yield families.counters("raceday_gate_edges", "Edges that arrived.", "gate", edges)
    lost = {gate.name: float(gate.lost) for gate in gates}
    yield families.counters("raceday_gate_edges_lost", "Edges that the device numbered and nobody got.", "gate", lost)
    crossings = {gate.name: float(activity.crossings[gate.name]) for gate in gates}
    yield families.counters("raceday_crossings", "Crossings that were stored.", "gate", crossings)
    yield families.counter("raceday_laps", "Laps that were completed.", counted["laps"])
    yield families.counter("raceday_runs_opened", "Runs that were opened.", counted["runs_opened"])
    ended = {"finished": counted["runs_finished"], "did_not_finish": counted["runs_not_finished"]}
    yield families.counters("raceday_runs_ended", "Runs that ended.", "how", ended)
    yield families.gauge("raceday_runs_on_track", "Runs that are armed or running.", len(view.runs))
    yield families.gauge("raceday_stop_active", "1 while all cars are stopped.", view.stop.on)


def _storing(view: View, activity: Activity, journal: pathlib.Path, waiting: int) -> Iterator[Metric]:
    counted, store, sync = activity.counts, view.store, view.sync
    refused = counted["commands_refused"]
    yield families.counter("raceday_commands_refused", "Commands that the race did not allow.", refused)
    yield families.gauge("raceday_inputs_waiting", "Inputs in the queue before the engine.", waiting)
    yield families.gauge("raceday_inputs_held", "Inputs that wait for the disk.", store.held)
    yield families.gauge("raceday_journal_ok", "1 while the disk takes records.", store.ok)
    yield families.gauge("raceday_journal_records", "Records of the journal.", store.records)
    yield families.gauge("raceday_journal_size_bytes", "The journal's file with its write-ahead log.", _size(journal))
    what = "How long the disk took for a batch of records."
    yield families.histogram("raceday_journal_commit_seconds", what, activity.commits.counts())
    results = {"due": sync.due, "posted": sync.posted, "pending": sync.pending, "rejected": sync.rejected}
    yield families.gauges("raceday_results", "Results that were ever due, by what became of them.", "state", results)
    yield families.gauge("raceday_sync_up", "1 while the sync service runs.", sync.alive)


def _cars(cars: Iterable[CarView]) -> Iterator[Metric]:
    shown = sorted(cars, key=lambda car: (not car.online, car.name))[:MAX_CARS]
    yield families.gauge("raceday_cars_online", "Cars that are connected.", sum(car.online for car in cars))
    online = {car.name: float(car.online) for car in shown}
    yield families.gauges("raceday_car_online", "1 while this car is connected.", "car", online)
    ages = {car.name: car.frame_age_p99_us / 1e6 for car in shown if car.frame_age_p99_us is not None and car.online}
    what = "99th percentile of the age of the frames that a car drives by."
    yield families.gauges("raceday_car_frame_age_p99_seconds", what, "car", ages)


def _size(journal: pathlib.Path) -> int:
    size = 0
    for path in (journal, journal.with_name(f"{journal.name}-wal")):
        try:
            size += path.stat().st_size
        except OSError:  # it is being replaced, or has no log: that the journal is gone is told elsewhere
            continue
    return size


def gather(
    snapshot: Callable[[], View],
    activity: Activity,
    journal: pathlib.Path,
    waiting: Callable[[], int],
    link: Callable[[], LinkState],
    refusals: Refusals,
    connections: Callable[[], int],
) -> Callable[[], Iterator[Metric]]:
    """What the station reports at each scrape."""

    def gathered() -> Iterator[Metric]:
        yield families.build_info("station")
        yield from station_metrics(snapshot(), activity, journal, waiting())
        yield from families.mqtt(link())
        yield from families.common(refusals, journal.parent, connections())

    return gathered
