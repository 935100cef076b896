"""`/metrics` over real HTTP, read by prometheus-client's own parsers; who may not read it is refused and counted."""

import concurrent.futures
import pathlib
from collections.abc import Iterator

import pytest
import requests
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from shared.link.interface import LinkState
from shared.metrics import families
from shared.metrics.latencies import Latencies
from shared.metrics.server import Exposition, metrics_server
from shared.metrics.settings import MetricsOptions
from shared.refusals import Refusals
from shared.web.server import BackgroundServer

TOKEN = "0123456789abcdef"


def machine(refusals: Refusals) -> Iterator[Metric]:
    latencies = Latencies()
    latencies.observe(0.003)
    yield families.build_info("station")
    yield from families.common(refusals, pathlib.Path("/"), 3)
    yield from families.mqtt(LinkState(True, "", queued=2, dropped=1, malformed=4))
    yield families.counters("raceday_odd", 'A "quoted"\nlabel.', "of", {'a"b\\c\nd': 1.0})
    yield families.histogram("raceday_commit_seconds", "A commit.", latencies.counts())


@pytest.fixture
def refusals() -> Refusals:
    made = Refusals()
    made.record("host", "10.0.0.9", "GET /", 0.0)
    return made


@pytest.fixture
def served(refusals: Refusals, tmp_path: pathlib.Path) -> Iterator[BackgroundServer]:
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    secret.chmod(0o600)
    options = MetricsOptions(True, port=0, token_file=str(secret))
    server = metrics_server(options, lambda: machine(refusals), "This station", refusals)
    server.start()
    yield server
    server.close()


def scrape(server: BackgroundServer, path: str = "/metrics", **headers: str) -> requests.Response:
    named = {"authorization": f"Bearer {TOKEN}", **headers}
    return requests.get(f"http://127.0.0.1:{server.port}{path}", headers=named, timeout=60)


def test_both_formats_are_what_the_librarys_own_parsers_read(served: BackgroundServer) -> None:
    plain, openmetrics = scrape(served), scrape(served, accept="application/openmetrics-text; version=1.0.0")
    assert plain.headers["content-type"].startswith("text/plain; version=")
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
    for text, parse in ((plain.text, parse_text), (openmetrics.text, parse_openmetrics)):
        samples = {(each.name, *each.labels.values()): each.value for family in parse(text) for each in family.samples}
        assert samples["raceday_refusals_total", "host"] == 1
        assert samples["raceday_mqtt_connected",] == 1
        assert samples["raceday_mqtt_malformed_messages_total",] == 4
        assert samples["raceday_web_connections",] == 3
        assert samples["raceday_odd_total", 'a"b\\c\nd'] == 1
        assert samples["raceday_commit_seconds_bucket", "0.005"] == 1
        assert samples["raceday_commit_seconds_bucket", "0.002"] == 0
        assert samples["raceday_commit_seconds_count",] == 1
        assert samples["raceday_disk_free_bytes",] > 0
        assert samples["process_resident_memory_bytes",] > 1e6


def test_without_the_token_nothing_is_told(served: BackgroundServer, refusals: Refusals) -> None:
    for wrong in ("", "Bearer", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", f"bearer {TOKEN}", f"Bearer {TOKEN}x"):
        answer = scrape(served, authorization=wrong)
        assert answer.status_code == 401
        assert "raceday_" not in answer.text
    assert scrape(served, host="board.example").status_code == 200  # a scrape from elsewhere, by whatever name
    assert scrape(served, "/").status_code == 404
    assert requests.post(f"http://127.0.0.1:{served.port}/metrics", timeout=60).status_code == 405
    assert refusals.totals() == {"host": 1, "key": 6}


def test_on_loopback_no_foreign_page_reads_it_by_a_name_that_leads_here(refusals: Refusals) -> None:
    server = metrics_server(MetricsOptions(True, port=0), lambda: machine(refusals), "This station", refusals)
    server.start()
    try:
        assert scrape(server, authorization="").status_code == 200
        assert scrape(server, authorization="", host="rebound.example").status_code == 421
    finally:
        server.close()
    assert refusals.totals() == {"host": 2}


def test_whoever_asks_and_however_often_the_figures_are_gathered_once_a_second() -> None:
    gathered, now_s = [0], 100.0

    def gather() -> Iterator[Metric]:
        gathered[0] += 1
        yield families.gauge("raceday_gathered", "How often.", gathered[0])

    exposition = Exposition(gather, lambda: now_s)
    assert gathered == [0]  # not yet: a machine that starts has nothing to tell
    for at_s, count in ((100.0, 1), (100.9, 1), (101.0, 2), (101.5, 2), (500.0, 3)):
        now_s = at_s
        assert f"raceday_gathered {count}.0" in exposition.text("")[0].decode()


def test_scrapes_at_the_same_time_gather_once() -> None:
    gathered = [0]

    def gather() -> Iterator[Metric]:
        gathered[0] += 1
        yield families.gauge("raceday_gathered", "How often.", gathered[0])

    exposition = Exposition(gather, lambda: 7.0)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        texts = set(pool.map(lambda _: exposition.text("")[0], range(32)))
    assert gathered == [1]
    assert len(texts) == 1
