"""An independent reader of the station's journal: reads committed records through its own SQLite connection.

Nothing here uses the station's code: it checks what anybody with the file could check. `catch_up` reads new records.
"""

import json
import pathlib
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import apsw

LAP_FACTS = ("LapCompleted", "LapConfirmed", "LapAdjusted", "LapHeld")

# The orders that a command leads to, one after the other.
STEPS: dict[str, tuple[str, ...]] = {"start": ("arm", "start"), "resume": ("reset", "arm", "start")}


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record as it is stored on disk."""

    seq: int
    kind: str
    input: dict[str, Any]
    facts: tuple[tuple[str, dict[str, Any]], ...]


class JournalTail:
    """The contents of the journal as of the last `catch_up`."""

    def __init__(self, path: pathlib.Path) -> None:
        self.records: list[StoredRecord] = []
        self.edges: dict[tuple[str, int], tuple[str, bool, int]] = {}
        self.repeated_edges = 0
        self.reports: set[tuple[str, str, int]] = set()
        self.laps: dict[tuple[str, int], set[str]] = defaultdict(set)
        self.phases: dict[str, set[str]] = defaultdict(set)
        self.scores: dict[str, set[int | None]] = defaultdict(set)
        self.cars: dict[str, str] = {}
        self.racers: dict[str, set[str]] = defaultdict(set)
        self.orders: set[tuple[str, str]] = set()
        self.standing: dict[str, list[dict[str, Any]]] = {}
        self.open_run: tuple[str, str] | None = None
        self.hashes: dict[int, str] = {0: bytes(32).hex()}
        self._path = path
        self._db: apsw.Connection | None = None
        self._seq = 0

    def catch_up(self) -> None:
        """Read all records committed since the last call."""
        if self._db is None:
            if not self._path.exists():
                return
            self._db = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READONLY)
            self._db.set_busy_timeout(1000)
        rows: list[tuple[Any, ...]] = self._db.execute(
            "SELECT seq, input, facts, hash FROM journal WHERE seq > ? ORDER BY seq", (self._seq,)
        ).fetchall()
        for seq, content, facts, digest in rows:
            kind, fields = json.loads(bytes(content))
            self._seq = int(seq)
            self.hashes[self._seq] = bytes(digest).hex()
            record = StoredRecord(
                self._seq, kind, fields, tuple((name, body) for name, body in json.loads(bytes(facts)))
            )
            self.records.append(record)
            self._index(record)

    def outbox(self) -> list[tuple[str, int, bytes]]:
        """(result id, revision, payload) of every result that was ever due to be posted."""
        assert self._db is not None
        rows: list[tuple[Any, ...]] = self._db.execute(
            "SELECT result_id, revision, payload FROM outbox ORDER BY seq"
        ).fetchall()
        return [(result_id, revision, bytes(payload)) for result_id, revision, payload in rows]

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _index(self, record: StoredRecord) -> None:
        body = record.input
        if record.kind == "Edge":
            key = (body["boot"], body["seq"])
            self.repeated_edges += key in self.edges
            self.edges[key] = (body["sensor"], body["broken"], body["at_ns"])
        elif record.kind == "CarReport":
            self.reports.add((body["car"], body["boot"], body["seq"]))
        for name, fact in record.facts:
            self._index_fact(name, fact)

    def _index_fact(self, name: str, fact: dict[str, Any]) -> None:
        if name in LAP_FACTS:
            self._index_lap(fact["lap"])
        elif name == "LapsRecomputed":
            for lap in fact["laps"]:
                self._index_lap(lap)
        elif name == "RunOpened":
            self.cars[fact["run_id"]] = fact["car"]
            self.racers[fact["run_id"]].add(fact["racer"])
        elif name == "RunReassigned":
            self.racers[fact["run_id"]].add(fact["racer"])
        elif name == "PhaseChanged":
            self._index_phase(fact["run_id"], fact["phase"])
        elif name == "Qualified":
            self.scores[fact["run_id"]].add(fact["score_ms"])
        elif name == "StandingChanged":
            self.standing[fact["race_id"]] = fact["lines"]
        elif name == "CarOrdered":
            steps = STEPS.get(fact["action"], (fact["action"],))
            self.orders.update((fact["car"], step) for step in steps)

    def _index_lap(self, lap: dict[str, Any]) -> None:
        self.laps[lap["run_id"], lap["number"]].add(lap_text(lap))

    def _index_phase(self, run_id: str, phase: str) -> None:
        self.phases[run_id].add(phase)
        if phase in ("armed", "running"):
            self.open_run = (run_id, self.cars[run_id])
        elif self.open_run is not None and self.open_run[0] == run_id:
            self.open_run = None


def lap_text(lap: dict[str, Any]) -> str:
    """A lap as one line of text, for comparison."""
    return json.dumps(lap, sort_keys=True)
