"""An event of full size: 200 racers, 1,000 runs and 10,000 laps in one race.

How long the station takes to start after `kill -9`, how long a ruling takes to be stored and shown, what other rules
for the whole race cost, and how long the pages of the event take on the server. The start is the real command in a
process of its own, up to its first answer over HTTP.
"""

import contextlib
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from bench.report import OUT, console, machine
from shared.clock import ManualClock
from shared.link.mock import MockBroker, MockLink
from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.core.engine import Engine
from station.core.event.races import rules_effect
from station.core.event.records import Racer
from station.gates.mock import MockGate
from station.service.setup import StationSetup
from station.service.station import Station
from station.store.journal import Journal, JournalEntry
from station.store.opening import JOURNAL, open_journal
from station.web.pages.registry import PAGES, TOPICS
from station.web.render import Pages

S = 1_000_000_000
RACERS, RUNS, LAPS = 200, 1_000, 10
RULES = RaceRules(max_laps=LAPS, min_lap_s=2.0)
START_S, RULING_MS, PAGE_MS = 3.0, 200.0, 100.0


def main(quick: bool) -> None:
    """Prints the figures beside their targets and writes run/bench/event-size.json."""
    runs = RUNS // 10 if quick else RUNS
    with tempfile.TemporaryDirectory(prefix="raceday-bench-") as name:
        folder = pathlib.Path(name)
        records = written(folder / "data", runs)
        figures = {"records": float(records)} | started(folder)
        with running(folder / "data") as station:
            figures |= rulings(station, runs)
            figures |= rules(station)
            figures |= pages(station)
    targets = {"start": START_S, "ruling": RULING_MS, "page": PAGE_MS}
    out = console()
    for what, value in figures.items():
        target = next((limit for word, limit in targets.items() if what.startswith(word)), None)
        verdict = "" if target is None else f"  target {target:g}: {'reached' if value <= target else 'MISSED'}"
        out.print(f"  {what}: {value:,.1f}{verdict}", markup=False)
    OUT.mkdir(parents=True, exist_ok=True)
    document = {"bench": "event-size", "machine": machine(), "figures": figures, "targets": targets, "runs": runs}
    (OUT / "event-size.json").write_text(json.dumps(document, indent=1) + "\n")


def written(data_dir: pathlib.Path, runs: int) -> int:
    """Writes the event's journal; returns its number of records."""
    data_dir.mkdir()
    engine, journal = Engine(), open_journal(data_dir)
    batch: list[JournalEntry] = []
    for event in event_inputs(runs):
        if facts := engine.handle(event):
            batch.append(JournalEntry(event, facts))
        if len(batch) == 256:
            journal.append(batch)
            batch.clear()
    journal.append(batch)
    records = journal.head.seq
    journal.close()
    return records


def event_inputs(runs: int) -> Iterator[e.Input]:
    """The event: its racers are imported, then each drives in turn; every tenth lap has an incident."""
    at_ns, seq = S, 0
    yield e.JournalBegan(_now(at_ns), "0123456789ab")
    yield e.Booted(_now(at_ns), "station-1", (e.GateSpec("start"),), start="00000001")
    yield e.OpenRace(_now(at_ns), "race-1", "A race", RULES, ties_by_uncertainty=True)
    racers = tuple(Racer(f"Racer {n}", team="Red", transponders=(str(7000 + n),)) for n in range(RACERS))
    yield e.ImportRacers(author="bench", racers=racers, moment=_now(at_ns))
    for run in range(runs):
        yield e.OpenRun(author="bench", racer=f"Racer {run % RACERS}", car="car-1", moment=_now(at_ns))
        yield e.StartRun(author="bench", moment=_now(at_ns), by_hand=True)
        for lap in range(LAPS + 1):
            at_ns += 8 * S + (run * 7919 + lap * 104_729) % S
            seq += 2
            yield e.Edge("start", "beam", True, at_ns, seq - 1, "boot", transponder=str(7000 + run % RACERS))
            yield e.Edge("start", "beam", False, at_ns + S // 10, seq, "boot")
            if (run + lap) % 10 == 0:
                yield e.OffTrack(author="bench", moment=_now(at_ns + S))


def started(folder: pathlib.Path) -> dict[str, float]:
    """From the start of the station's process, which was killed before, to its first answer over HTTP."""
    config = folder / "station.toml"
    config.write_text(
        f'data_dir = "{folder / "data"}"\n[clock]\ndriver = "system"\n[web]\nport = 0\n'
        '[[gate]]\nname = "start"\ndriver = "mock"\n[mqtt]\nport = 9\n'
        '[race]\nid = "race-1"\nname = "A race"\n[race.rules]\nmax_laps = 10\nmin_lap_s = 2.0\n'
    )
    ready = folder / "ready"
    command = [sys.executable, "-m", "raceday", "station", "--config", str(config), "--ready-file", str(ready)]
    took_s = cpu_s = 0.0
    for _ in range(2):  # the second start follows a kill
        ready.unlink(missing_ok=True)
        began = time.perf_counter()
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        while not (ready.exists() and ready.read_text().strip()):
            if process.poll() is not None:
                raise SystemExit((folder / "log").read_text())
            time.sleep(0.01)
        urllib.request.urlopen(ready.read_text().strip()).close()
        took_s = time.perf_counter() - began
        process.send_signal(signal.SIGKILL)
        _, _, used = os.wait4(process.pid, 0)
        process.returncode, cpu_s = -signal.SIGKILL, used.ru_utime + used.ru_stime
    return {"start after kill -9, s": took_s, "of it processor time, s": cpu_s}


@contextlib.contextmanager
def running(data_dir: pathlib.Path) -> Iterator[Station]:
    """The station on that journal, in this process, on a clock that stands still."""
    clock = ManualClock(2_000_000 * S)
    race = e.OpenRace(e.NEVER, "race-1", "A race", RULES, ties_by_uncertainty=True)
    setup = StationSetup("station-1", (e.GateSpec("start"),), race)
    gates = {"start": MockGate("start", ("beam",), {}, clock)}
    station = Station(
        setup, clock, MockLink(MockBroker(), "station-1", "bench", "station"), gates, Journal(data_dir / JOURNAL)
    )
    station.start()
    yield station
    station.close()


def rulings(station: Station, runs: int) -> dict[str, float]:
    """Penalties on runs of all ages: milliseconds from the command to the committed fact in the view."""
    took_ms = []
    for number in range(1, runs + 1, max(1, runs // 100)):
        command = e.AddPenalty(author="bench", number=1, seconds=0.001 * number, run_id=f"run-{number}")
        took_ms.append(_took_ms(lambda command=command: _given(station, command)))  # type: ignore[misc]
    took_ms.sort()
    return {"ruling to view, p50 ms": took_ms[len(took_ms) // 2], "ruling to view, worst ms": took_ms[-1]}


def rules(station: Station) -> dict[str, float]:
    """Other rules for the whole race: the preview, and the change itself with all its results."""
    other = e.ChangeRace(author="bench", race_id="race-1", rules=replace(RULES, off_track_penalty_s=2.0))
    before = station.snapshot().standing
    engine = station._restored.engine
    preview_ms = _took_ms(lambda: rules_effect(engine.event, engine.races, other))
    change_ms = _took_ms(lambda: _given(station, other))
    assert station.snapshot().standing != before
    return {"preview of other rules, ms": preview_ms, "other rules, all results due again, ms": change_ms}


def pages(station: Station) -> dict[str, float]:
    """The slowest of the event's pages on the server, whole and with its templates compiled, in milliseconds."""
    drawn, view = Pages(PAGES, TOPICS), station.snapshot()
    more: dict[str, Any] = {
        "on_file": view.event,
        "edit": None,
        "act": "",
        "countries": (),
        "cars": [],
        "form": None,
        "choices": {},
        "drawing": None,
        "tracks": (),
    }

    def draw(name: str) -> str:
        return drawn.page(name, view, **more)

    for name in ("event", "racers"):
        draw(name)
    return {
        f"page /{name}, ms": min(_took_ms(functools.partial(draw, name)) for _ in range(5))
        for name in ("event", "racers")
    }


def _given(station: Station, command: e.Command) -> None:
    ticket = station.offer(command)
    while ticket.answer is None:
        station.pump()


def _took_ms(once: Callable[[], object]) -> float:
    began = time.perf_counter()
    once()
    return (time.perf_counter() - began) * 1000


def _now(at_ns: int) -> e.Moment:
    return e.Moment("boot", at_ns, 1_700_000_000 * S + at_ns)
