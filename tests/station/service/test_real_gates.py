"""A station's process with a P3 decoder and a faulty Pico on pseudo-terminals, and an event manager that reads it."""

import contextlib
import itertools
import json
import pathlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from shared.clock import SystemClock
from simulator.pico.pico import LineFaults, PicoOnPty
from station.commands.replay import check
from station.gates.decoders.framing import crc_amb
from station.gates.decoders.packet_protocols.p3 import escape
from station.gates.drem import DremGate
from station.store.journal import Journal
from tests.station.gates.decoders.port_peer import Box, pty, until
from tests.system.station.test_process import BEARERS, Process, post, state, until_laps

MS, S = 1_000_000, 1_000_000_000
EPOCH_US = 1_790_000_000_000_000
REST = """
[mqtt]
port = {broker}
[web]
port = {port}
[race]
id = "race-1"
name = "A race"
rules = {{ min_lap_s = 1.0, max_laps = 20 }}
"""
DECODER = (
    """
data_dir = "{data}"
[[gate]]
name = "start"
driver = "decoder"
sensors = ["loop"]
uncertainty_us = 1000
options = {{ protocol = "p3", url = "PTY", allowed_s = 3600.0 }}
[drem]
port = 0
"""
    + REST
)
PICO = (
    """
data_dir = "{data}"
[[gate]]
name = "start"
driver = "pico"
options = {{ port = "PTY" }}
"""
    + REST
)


def passing(number: int, at_us: int, transponder: int = 5691251) -> bytes:
    """A P3 passing as a decoder sends it."""
    values = ((0x01, number, 4), (0x03, transponder, 4), (0x04, at_us, 8), (0x05, 120, 2), (0x81, 268307, 4))
    body = b"".join(bytes([tag, size]) + value.to_bytes(size, "little") for tag, value, size in values)
    length = len(body) + 11
    head = b"\x8e\x02" + length.to_bytes(2, "little")
    rest = b"\0\0\x01\0" + body + b"\x8f"
    crc = crc_amb(head + b"\0\0" + rest)
    return escape(head + crc.to_bytes(2, "little") + rest)


@contextlib.contextmanager
def station(folder: pathlib.Path, text: str) -> Iterator[tuple[Process, str]]:
    process = Process(folder, text=text)
    try:
        yield process, process.url()
    finally:
        process.kill()


def until_shown(url: str, true: Any, patience_s: float = 60.0) -> dict[str, Any]:
    """Polls the station until it shows this; each answer is awaited."""
    deadline = time.monotonic() + patience_s
    while not true(shown := state(url)):
        assert time.monotonic() < deadline, shown["gates"]
    return shown


def tried(url: str, roll: Callable[[], object]) -> None:
    """Makes a new gate ready, which allows no run before a car has rolled through."""
    refused = requests.post(
        f"{url}/api/v1/commands",
        json={"command": "open_run", "racer": "X", "car": "x"},
        headers=BEARERS[url],
        timeout=60,
    )
    assert refused.status_code == 409
    assert "Not tested yet" in refused.json()["error"]
    roll()
    until_shown(url, lambda now: not now["gates"][0]["untried"])


def through(pico: PicoOnPty, at_ns: int) -> None:
    """A car breaks the beam for as long as cars do."""
    pico.plan(at_ns, 0, 0)
    pico.plan(at_ns + 90 * MS, 0, 1)


def facts(folder: pathlib.Path, kind: str) -> list[dict[str, Any]]:
    """The journal's facts of this kind, after the whole journal was replayed."""
    journal = Journal(folder / "data" / "station.db")
    try:
        check(journal)
        return [fact for record in journal.records() for name, fact in json.loads(record.facts) if name == kind]
    finally:
        journal.close()


@pytest.mark.slow
def test_a_p3_decoder_times_a_race_and_an_event_manager_reads_it(tmp_path: pathlib.Path) -> None:
    laps_us = [9_812_345, 10_250_999, 9_999_001]
    with pty() as (write, _, path), station(tmp_path, DECODER.replace("PTY", path)) as (process, url):
        box, manager = Box(), DremGate("far", ("beam",), {"url": process.next_value("timing an event")}, SystemClock())
        with contextlib.closing(manager):
            manager.start({}, box.put)
            until(lambda: manager.health().alive)
            tried(url, lambda: write(passing(10, EPOCH_US - 20_000_000)))
            post(url, command="open_run", racer="Ann", car="car-1")
            post(url, command="start", by_hand=True)
            at_us = EPOCH_US
            write(passing(11, at_us))
            for number, lap_us in zip((12, 15, 16), laps_us, strict=True):
                at_us += lap_us
                write(b"noise" + passing(number, at_us))
            shown = until_laps(url, 3)
            _, *stamps_ns = [edge.at_ns for edge in box.take(10) if edge.broken]
        noted = {"missed_numbers", "dropped_bytes"}
        gate = until_shown(url, lambda now: {note["kind"] for note in now["gates"][0]["notes"]} >= noted)["gates"][0]
    assert [lap["lap_ns"] for lap in shown["run"]["laps"]] == [1000 * lap_us for lap_us in laps_us]
    assert {lap["uncertainty_ns"] for lap in shown["run"]["laps"]} == {2_000_000}
    # The event manager reads what the station publishes: truncated to milliseconds.
    assert [b - a for a, b in itertools.pairwise(stamps_ns)] == [lap_us // 1000 * MS for lap_us in laps_us]
    assert (gate["alive"], gate["lost"], gate["edges"]) == (True, 2, 5)
    assert gate["dropped"] >= 5
    assert ("missed_numbers", 2) in [(note["kind"], note["count"]) for note in facts(tmp_path, "GateNoteStored")]
    _, *crossings = [fact["at_ns"] for fact in facts(tmp_path, "Crossing")]
    assert crossings == [1000 * (EPOCH_US + sum(laps_us[:count])) for count in range(4)]


@pytest.mark.slow
def test_a_cruel_pico_times_a_race(tmp_path: pathlib.Path) -> None:
    pico = PicoOnPty(LineFaults(loss=0.0005), 7, time.monotonic_ns)
    text = PICO.replace("PTY", pico.path)
    with contextlib.closing(pico), station(tmp_path, text) as (_, url):
        until_shown(url, lambda now: now["gates"] and now["gates"][0]["alive"])
        tried(url, lambda: through(pico, time.monotonic_ns() + 200 * MS))
        post(url, command="open_run", racer="Ann", car="car-1")
        post(url, command="start", by_hand=True)
        begin_ns = time.monotonic_ns() + 1_200 * MS
        truth_ns = [begin_ns + number * 1_300 * MS for number in range(4)]
        for at_ns in truth_ns:
            through(pico, at_ns)
        shown = until_laps(url, 3)
        gate = until_shown(url, lambda now: now["gates"][0]["each"][0]["edges"] == 10)["gates"][0]
        pico.reset()
        until_shown(url, lambda now: any(note["kind"] == "restart" for note in now["gates"][0]["notes"]))
    assert len(shown["run"]["laps"]) == 3
    _, *crossings = facts(tmp_path, "Crossing")
    for crossing, true_ns in zip(crossings, truth_ns, strict=True):
        assert abs(crossing["at_ns"] - true_ns) <= crossing["uncertainty_ns"]
        assert 0 < crossing["uncertainty_ns"] < 20 * MS
    assert gate["drift_ppb"] is not None
    assert gate["uncertainty_ns"] > 0
    assert [fact["kind"] for fact in facts(tmp_path, "GateNoteStored") if fact["kind"] == "restart"] == ["restart"]
