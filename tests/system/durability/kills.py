"""`kill -9` of a loaded station, over and over, and what must hold of its journal then.

A real `raceday station` with a gate, a broker, a car that reports and a director that opens runs. It is killed after
a random while, started again at once on the same folder, and asks the gate for what it missed. Each fold of kills has
a journal of its own; at its end all that was ever acknowledged is looked for in it.
"""

import json
import pathlib
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from shared.errors import StorageError
from station.commands.replay import check
from station.core import inputs as e
from station.store.encoding import decode_input
from station.store.journal import Journal
from tests.station.web.signed_in import bearer_for
from tests.system.durability.load import STATION_CONFIG, Car, Director, FastGate, StationReplies

ROOT = pathlib.Path(__file__).parents[3]
FOLD = 50  # kills to one journal: each start reads all of it
READY_S = 60.0


@dataclass(slots=True)
class Tally:
    """The outcome of a campaign of kills. `acknowledged`: laps, reports and openings that the station confirmed."""

    kills: int = 0
    crossings: int = 0
    acknowledged_laps: int = 0
    acknowledged_reports: int = 0
    acknowledged_runs: int = 0
    results: int = 0
    lost: int = 0
    lost_edges: int = 0
    invented: int = 0
    disagreeing: int = 0
    unreadable: int = 0
    first_failure: str = ""

    @property
    def clean(self) -> bool:
        return not (self.lost or self.lost_edges or self.invented or self.disagreeing or self.unreadable)


class StationForker:
    """Starts stations from the fork server, and reaps them."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.system.durability.fork_server"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True)

    def fork(self, folder: pathlib.Path) -> int:
        config, ready = folder / "station.toml", folder / "ready"
        ready.unlink(missing_ok=True)
        return self._ask([str(folder / "log"), "station", "--config", str(config), "--ready-file", str(ready)])

    def kill(self, pid: int) -> None:
        subprocess.run(["kill", "-9", str(pid)], check=True)
        self._ask(pid)

    def close(self) -> None:
        self._process.communicate(timeout=60)

    def _ask(self, request: object) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def campaign(folder: pathlib.Path, broker: int, kills: int, seed: int, lap_s: float = 0.008) -> Iterator[Tally]:
    """Runs `kills` trials and yields the tally after each, with the faults found at each fold's end."""
    tally, chance, forker = Tally(), random.Random(seed), StationForker()
    try:
        for fold in range((kills + FOLD - 1) // FOLD):
            place = folder / f"fold-{fold}"
            place.mkdir()
            yield from _fold(place, broker, min(FOLD, kills - tally.kills), chance, forker, tally, lap_s)
            if tally.clean:
                shutil.rmtree(place)
    finally:
        forker.close()


def _fold(
    place: pathlib.Path,
    broker: int,
    kills: int,
    chance: random.Random,
    forker: StationForker,
    tally: Tally,
    lap_s: float,
) -> Iterator[Tally]:
    (place / "station.toml").write_text(STATION_CONFIG.format(folder=place, broker=broker, max_laps=5))
    boot, replies = f"world-{place.name}-{chance.randrange(10**9)}", StationReplies()
    gate = FastGate(place / "gate", boot, lap_s, chance.randrange(10**9))
    car, director = Car(broker, f"car-{boot}", replies), Director(boot, replies)
    director.bearer = bearer_for(place / "data")
    begun = tally.kills
    try:
        while tally.kills < begun + kills:
            pid = forker.fork(place)
            try:
                director.url = _ready(place)
                _run_for_a_while(replies, chance, until_lap=tally.kills % 3 == 0)
            finally:
                forker.kill(pid)
            tally.kills += 1
            yield tally
    finally:
        director.close()
        car.close()
        gate.close()
    _judge(place / "data" / "station.db", gate, replies, car.boot, tally)
    yield tally


def _run_for_a_while(replies: StationReplies, chance: random.Random, *, until_lap: bool) -> None:
    """Lets the station run for a while; `until_lap`: until it has published another lap, and a while more."""
    never, laps, until_s = threading.Event(), len(replies.laps), time.monotonic() + READY_S
    while until_lap and len(replies.laps) == laps and time.monotonic() < until_s:
        never.wait(0.01)
    never.wait(chance.uniform(0.0, 0.5))


def _ready(place: pathlib.Path) -> str:
    """The station's address, once it serves."""
    until_s, never = time.monotonic() + READY_S, threading.Event()
    while not (place / "ready").exists():
        assert time.monotonic() < until_s, (place / "log").read_text()[-2000:]
        never.wait(0.005)
    return (place / "ready").read_text().strip()


def _judge(path: pathlib.Path, gate: FastGate, replies: StationReplies, car_boot: str, tally: Tally) -> None:
    """Reads the journal of a fold and compares it with what was sent and what was acknowledged."""
    try:
        journal = Journal(path)
        check(journal)
    except StorageError as error:
        tally.unreadable += 1
        tally.first_failure = tally.first_failure or str(error)
        return
    laps, runs, reports, edges = set[tuple[str, int, int]](), set[str](), list[int](), list[e.Edge]()
    for record in journal.records():
        event = decode_input(record.input)
        if isinstance(event, e.Edge):
            edges.append(event)
        elif isinstance(event, e.CarReport) and event.boot == car_boot:
            reports.append(event.seq)
        facts = json.loads(record.facts)
        laps |= {_lap(fact[1]["lap"]) for fact in facts if fact[0] in ("LapCompleted", "LapConfirmed")}
        runs |= {fact[1]["run_id"] for fact in facts if fact[0] == "RunOpened"}
        due = [(fact[1]["result"]["result_id"], fact[1]["result"]["laps"]) for fact in facts if fact[0] == "ResultDue"]
        posted = [(result["result_id"], result["laps"]) for result in map(json.loads, record.results)]
        tally.disagreeing += due != posted
        tally.results += len(posted)
    journal.close()
    lost = len(replies.laps - laps), len(replies.reports - set(reports)), len(replies.runs - runs)
    sent = {edge.seq: (edge.broken, edge.at_ns) for edge in gate.edges}
    invented = sum(sent.get(edge.seq) != (edge.broken, edge.at_ns) or edge.boot != gate.boot for edge in edges)
    invented += len(reports) - len(set(reports)) + sum(not 0 < seq <= replies.offered for seq in reports)
    gaps = sum(edge.seq != number for number, edge in enumerate(edges, 1))
    _count(tally, replies, len(edges) // 2, lost, invented, gaps)


def _lap(lap: dict[str, object]) -> tuple[str, int, int]:
    return str(lap["run_id"]), int(str(lap["number"])), int(str(lap["lap_ns"]))


def _count(
    tally: Tally, replies: StationReplies, crossings: int, lost: tuple[int, int, int], invented: int, gaps: int
) -> None:
    tally.crossings += crossings
    tally.acknowledged_laps += len(replies.laps)
    tally.acknowledged_reports += len(replies.reports)
    tally.acknowledged_runs += len(replies.runs)
    tally.lost += sum(lost)
    tally.lost_edges += gaps
    tally.invented += invented
    if not tally.clean and not tally.first_failure:
        tally.first_failure = f"after {tally.kills} kills: laps, reports, runs lost {lost}, {invented=}, {gaps=}"
