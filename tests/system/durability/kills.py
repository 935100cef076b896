"""What must hold of the journal of a station that was killed over and over, under load.

All that it ever acknowledged is in it, nothing that was not sent, and journal and outbox agree. Called by hall_kills.py
and partitions.py.
"""

import json
import pathlib
import threading
import time
from dataclasses import dataclass

from shared.errors import StorageError
from station.commands.replay import check
from station.core import inputs as e
from station.store.encoding import decode_input
from station.store.journal import Journal
from tests.system.durability.forked import ProcessForker
from tests.system.durability.load import FastGate, StationReplies

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


def fork_station(forker: ProcessForker, place: pathlib.Path) -> int:
    """Starts the station of `place/station.toml`; its process id."""
    config, ready = place / "station.toml", place / "ready"
    ready.unlink(missing_ok=True)
    return forker.fork(place / "log", "raceday", "station", "--config", str(config), "--ready-file", str(ready))


def station_url(place: pathlib.Path) -> str:
    """The station's address, once it serves."""
    until_s, never = time.monotonic() + READY_S, threading.Event()
    while not (place / "ready").exists():
        assert time.monotonic() < until_s, (place / "log").read_text()[-2000:]
        never.wait(0.005)
    return (place / "ready").read_text().strip()


def judge(path: pathlib.Path, gate: FastGate, replies: StationReplies, car_boot: str, tally: Tally) -> None:
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
