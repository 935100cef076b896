"""The station's figures: what a station did, by Prometheus' conventions, and read without holding up the timing."""

import pathlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from prometheus_client.metrics_core import Metric

from shared.link.mock import MockLink
from shared.metrics import families
from shared.metrics.server import Exposition
from station.core import inputs as e
from station.exports.activity import Activity
from station.exports.metrics import MAX_CARS, gather, station_metrics
from station.service.station import Station
from station.views.views import View
from tests.shared.metrics.exposed import exposed
from tests.station.service.station_rig import Rig, S
from tests.station.web.extreme_views import names
from tests.station.web.sample_views import EMPTY, TROUBLE, VIEW
from tests.system.look.whole_station import VIEWS


class CountingRig(Rig):
    """A station whose commits are counted."""

    def __init__(self, path: pathlib.Path) -> None:
        self.activity = Activity()
        super().__init__(path)

    def make_station(self, link: MockLink) -> Station:
        return Station(*self.parts(link), observe=self.activity.observe)

    def gather(self) -> Callable[[], Iterator[Metric]]:
        station = self.station
        return gather(
            station.snapshot, self.activity, self.path, lambda: station.inputs_waiting, station.link_state,
            station.refusals, lambda: 0,
        )  # fmt: skip


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Iterator[CountingRig]:
    made = CountingRig(tmp_path / "station.db")
    yield made
    made.station.close()


def test_what_a_run_leaves(rig: CountingRig) -> None:
    before = exposed(rig.gather())
    rig.open()
    rig.go()
    for _ in range(3):
        rig.cross(8.0)
    rig.give(e.FinishRun(author="judge"))
    rig.give(e.FinishRun(author="judge"))  # there is none any more
    rig.wait(2 * S)  # the pages, too, see a gate's count a little later
    rig.station.refusals.record("host", "10.0.0.9", "GET /", 0.0)
    after = exposed(rig.gather())
    assert after["raceday_crossings_total", "start"] == 3
    assert after["raceday_laps_total",] == 2
    assert after["raceday_runs_opened_total",] == 1
    assert after["raceday_runs_ended_total", "finished"] == 1
    assert after["raceday_commands_refused_total",] == 1
    assert after["raceday_refusals_total", "host"] == 1
    assert after["raceday_gate_edges_total", "start"] == 6
    assert after["raceday_gate_up", "start"] == 1
    assert after["raceday_journal_ok",] == 1
    assert after["raceday_journal_records",] > before["raceday_journal_records",]
    assert after["raceday_journal_size_bytes",] > 10_000
    commits = after["raceday_journal_commit_seconds_count",]
    assert commits > before["raceday_journal_commit_seconds_count",]
    assert after["raceday_journal_commit_seconds_bucket", "+Inf"] == commits
    assert after["raceday_results", "due"] == 1
    assert after["raceday_mqtt_connected",] == 1
    assert after["raceday_inputs_waiting",] == 0


@pytest.mark.parametrize("name", VIEWS)
def test_every_state_of_a_station_is_told_by_the_conventions(name: str, tmp_path: pathlib.Path) -> None:
    found = exposed(lambda: station_metrics(VIEWS[name], Activity(), tmp_path / "no.db", 0))
    assert found["raceday_journal_size_bytes",] == 0


def test_trouble_is_told(tmp_path: pathlib.Path) -> None:
    found = exposed(lambda: station_metrics(TROUBLE, Activity(), tmp_path / "no.db", 7))
    assert found["raceday_inputs_waiting",] == 7
    assert found["raceday_gate_up", "start"] == float(TROUBLE.gates[0].alive and not TROUBLE.gates[0].stuck) == 0
    assert found["raceday_journal_ok",] == float(TROUBLE.store.ok)
    assert exposed(lambda: station_metrics(EMPTY, Activity(), tmp_path / "no.db", 0))["raceday_cars_online",] == 0


def test_however_many_cars_are_invented_few_are_told_and_those_that_are_online(tmp_path: pathlib.Path) -> None:
    car = VIEW.cars[0]
    crowd = tuple(replace(car, name=name, online=n % 10 == 0) for n, name in enumerate(names(500)))
    view: View = replace(VIEW, cars=crowd)
    found = exposed(lambda: station_metrics(view, Activity(), tmp_path / "no.db", 0))
    told = {key[1]: value for key, value in found.items() if key[0] == "raceday_car_online"}
    assert len(told) == MAX_CARS
    assert found["raceday_cars_online",] == sum(told.values()) == 50


def test_a_scrape_that_takes_its_time_holds_up_no_crossing_and_a_slow_disk_no_scrape(rig: CountingRig) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[Metric]:
        yield from rig.gather()()
        entered.set()
        assert go_on.wait(60)
        yield families.gauge("raceday_slow", "Told last.", 1)

    scraped: list[bytes] = []
    scraping = threading.Thread(target=lambda: scraped.append(Exposition(slow).text("")[0]))
    scraping.start()
    assert entered.wait(60)
    rig.open()
    rig.go()
    rig.cross(8.0)  # timed and stored while the scrape is under way
    assert rig.activity.crossings["start"] == 1
    go_on.set()
    scraping.join(60)
    assert b"raceday_slow 1.0" in scraped[0]

    append, writing, written = rig.station.journal.append, threading.Event(), threading.Event()

    def slow_disk(entries: object) -> object:
        writing.set()
        assert written.wait(60)
        return append(entries)  # type: ignore[arg-type]

    rig.station.journal.append = slow_disk  # type: ignore[method-assign,assignment]
    timing = threading.Thread(target=lambda: rig.cross(8.0))
    timing.start()
    assert writing.wait(60)
    assert exposed(rig.gather())["raceday_crossings_total", "start"] == 1  # answered while the timing waits
    written.set()
    timing.join(60)
    assert rig.activity.crossings["start"] == 2
