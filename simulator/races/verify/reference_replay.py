"""Feeds the journal's inputs to the reference model: crossings and rulings in, laps and scores out.

Of the stored facts it uses only what the inputs cannot tell: which edges were a crossing (compared with the ground
truth elsewhere), which commands were refused, and when a run that spans two boots was over.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any

from shared.rules.ranking import RaceRules
from simulator.races.hosts.journal_tail import StoredRecord
from simulator.races.verify.reference_model import ReferenceRun

INCIDENTS = {"OffTrack": "off_track", "Collision": "collision", "CarReset": "reset"}


class ReferenceReplay:
    """All runs of a meeting, as the reference model has them; `errors` are records that it cannot apply."""

    def __init__(self) -> None:
        self.runs: dict[str, ReferenceRun] = {}
        self.open: ReferenceRun | None = None
        self.errors: list[str] = []
        self._clocked: set[str] = set()
        self._race: tuple[str, RaceRules] = ("", RaceRules())
        self._accepts_all = True
        self._readers: dict[str, Callable[[dict[str, Any]], None]] = {
            "OpenRun": self._open_run,
            "StartRun": self._start,
            "FinishRun": self._finish,
            "AbandonRun": self._abandon,
            "VoidLap": self._void,
            "RestoreLap": self._restore,
            "AddPenalty": self._penalty,
            "AddCrossing": self._add,
            "DropCrossing": self._drop,
            "ReassignRun": self._reassign,
            "TakeBack": self._take_back,
            "DismissProposal": self._dismiss,
            **{name: functools.partial(self._incident, kind) for name, kind in INCIDENTS.items()},
        }

    def read(self, records: Iterable[StoredRecord]) -> "ReferenceReplay":
        """Apply all records, in order; returns itself."""
        for record in records:
            try:
                self._read(record)
            except (IndexError, KeyError, AssertionError) as error:
                self.errors.append(
                    f"record {record.seq}: the reference model has no object for {record.kind} ({error})"
                )
        return self

    def _read(self, record: StoredRecord) -> None:
        names = {name for name, _ in record.facts}
        if record.kind == "OpenRace" and "RaceOpened" in names:
            self._race = (record.input["race_id"], RaceRules(**record.input["rules"]))
            self._accepts_all = record.input.get("officiating", 0) == 0
        elif "CommandRefused" not in names and (reader := self._readers.get(record.kind)) is not None:
            reader(record.input)
        for name, fact in record.facts:
            if name == "Crossing" and fact["direction"] >= 0 and self.open is not None:
                self.open.crossing(fact["boot"], fact["at_ns"])
            elif name == "RunClock":
                # Another boot measures the limit, by the time of day: the station's figure is used.
                self._clocked.add(fact["run_id"])
                latest_ns = fact.get("latest_ns")
                began_ns = fact["started_ns"] if latest_ns is None else latest_ns
                self.runs[fact["run_id"]].started[fact["boot"]] = began_ns
            elif name == "RunFinished":
                self._finished(fact)

    def _finished(self, fact: dict[str, Any]) -> None:
        """End a run: by its own rules within the boot in which it began, else as the station says."""
        run = self.runs[fact["run_id"]]
        run.reported_over = True
        if fact["reason"] != "time is up" or fact["run_id"] in self._clocked:
            run.over = True

    def _open_run(self, body: dict[str, Any]) -> None:
        race_id, rules = self._race
        over = [run for run in self.runs.values() if run.race_id == race_id and run.counts]
        laps = [lap.lap_ns for run in over if run.over or run.reported_over for lap in run.laps() if lap.valid]
        self.open = ReferenceRun(
            body["run_id"], race_id, body["racer"], body["car"], rules, accepts_all=self._accepts_all
        )
        self.open.fastest_ns = min(laps, default=None)
        self.runs[body["run_id"]] = self.open

    def _start(self, body: dict[str, Any]) -> None:
        assert self.open is not None
        self.open.release(body["moment"]["boot"], body["moment"]["at_ns"])

    def _finish(self, _body: dict[str, Any]) -> None:
        assert self.open is not None
        self.open.over = True

    def _abandon(self, _body: dict[str, Any]) -> None:
        assert self.open is not None
        self.open.over, self.open.counts = True, False

    def _incident(self, kind: str, body: dict[str, Any]) -> None:
        assert self.open is not None
        self.open.add_incident(kind, body["moment"]["boot"], body["at_ns"])

    def _run_of(self, body: dict[str, Any]) -> ReferenceRun:
        run = self.runs[body["run_id"]] if body["run_id"] else self.open
        assert run is not None
        return run

    def _void(self, body: dict[str, Any]) -> None:
        self._run_of(body).void(body["number"])

    def _restore(self, body: dict[str, Any]) -> None:
        self._close(self._run_of(body), lambda run: run.restore(body["number"]))

    def _take_back(self, body: dict[str, Any]) -> None:
        self._run_of(body).take_back(body["kind"], body["number"])

    def _dismiss(self, body: dict[str, Any]) -> None:
        self._close(self._run_of(body), lambda run: run.accept(body["at_ns"]))

    def _close(self, run: ReferenceRun, change: Callable[[ReferenceRun], None]) -> None:
        """Apply a ruling on the crossings, after which the run may be full."""
        change(run)
        if not run.over:
            run.close_if_full()

    def _penalty(self, body: dict[str, Any]) -> None:
        self._run_of(body).penalise(body["number"], body["seconds"])

    def _add(self, body: dict[str, Any]) -> None:
        self._close(self._run_of(body), lambda run: run.add_crossing(body["at_ns"]))

    def _drop(self, body: dict[str, Any]) -> None:
        self._close(self._run_of(body), lambda run: run.drop_crossing(body["number"]))

    def _reassign(self, body: dict[str, Any]) -> None:
        self._run_of(body).racer = body["racer"].strip()
