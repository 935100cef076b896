"""Bugs to put into the product: in stamps, crossings, laps, rulings and scores. Each changes one method."""

import dataclasses
from typing import Any

import pytest

from shared.rules.ranking import Score, score_run
from simulator.races.hosts.crash_points import CrashingJournal
from simulator.races.officials import Officials
from simulator.races.physical.gate_device import GateDevice
from station.core.inputs import Edge, VoidLap
from station.core.runs.book import counted_laps
from station.core.runs.book.lap_book import LapBook
from station.core.runs.run import Run
from station.core.timing import gate
from station.core.timing.gate import CrossingCounter, Gate

Patch = pytest.MonkeyPatch


def drops_every_tenth_edge(patch: Patch) -> None:
    """A journal that reports entries as stored that it dropped."""
    real = CrashingJournal.append

    def append(self: CrashingJournal, entries: Any) -> list[int]:
        stored = [e for e in entries if not (isinstance(e.input, Edge) and e.input.seq % 10 == 7)]
        seqs = iter(real(self, stored) if stored else [])
        return [next(seqs) if e in stored else self.head.seq for e in entries]

    patch.setattr(CrashingJournal, "append", append)


def forgets_what_the_gate_remembers(patch: Patch) -> None:
    """A gate that does not replay its buffered edges to a new station."""
    patch.setattr(GateDevice, "attach", lambda self, _after, put: setattr(self, "_put", put))


def stamps_with_the_time_of_day(patch: Patch) -> None:
    """Edges stamped with the time of day: right until somebody sets the clock."""

    real_on_edge, real_init = GateDevice.on_edge, GateDevice.__init__

    def init(self: Any, clock: Any) -> None:
        real_init(self, clock)
        self._steps_from = clock.utc_ns()

    def on_edge(self: Any, edge: Any) -> None:
        stepped_ns = self.clock.utc_ns() - self._steps_from - self.clock._virtual_time.now_ns
        real_on_edge(self, dataclasses.replace(edge, at_ns=edge.at_ns + stepped_ns))

    patch.setattr(GateDevice, "__init__", init)
    patch.setattr(GateDevice, "on_edge", on_edge)


def stamps_late(patch: Patch) -> None:
    """Edges stamped when the program handles them, nanoseconds late."""
    real = Gate.handle
    patch.setattr(
        Gate, "handle", lambda self, edge: real(self, dataclasses.replace(edge, at_ns=edge.at_ns + edge.seq % 3))
    )


def has_no_lockout(patch: Patch) -> None:
    """Each flicker of a beam counts as a crossing."""
    patch.setattr(gate, "CHATTER_NS", 0)
    real = Gate.__init__

    def init(self: Gate, spec: Any, count: CrossingCounter) -> None:
        real(self, dataclasses.replace(spec, lockout_ns=1), count)

    patch.setattr(Gate, "__init__", init)


def debounces_by_the_last_edge(patch: Patch) -> None:
    """A debounce that moves the stamp from the beginning of the blocked time to its end."""
    real = Gate._blocked

    def blocked(self: Gate, edge: Edge) -> Any:
        return real(self, dataclasses.replace(edge, at_ns=edge.at_ns + 50_000_000))

    patch.setattr(Gate, "_blocked", blocked)


def deletes_laps_that_are_void(patch: Patch) -> None:
    """A void lap is deleted, and the later laps are renumbered."""
    real = LapBook.laps

    def laps(self: LapBook) -> Any:
        valid = [lap for lap in real(self) if lap.valid]
        return tuple(dataclasses.replace(lap, number=number) for number, lap in enumerate(valid, 1))

    patch.setattr(LapBook, "laps", laps)
    patch.setattr(Officials, "_rulings", _voids_lap_2)


def _voids_lap_2(_self: Officials, turn: Any) -> Any:
    yield VoidLap(author="judge", number=2, run_id=turn.run_id)


def counts_an_incident_when_it_was_said(patch: Patch) -> None:
    """An incident counts for the lap in progress when it is entered, not for the one in which it happened."""
    real = LapBook.lap_at
    patch.setattr(LapBook, "lap_at", lambda self, boot, _at_ns: real(self, boot, None))


def rounds_scores(patch: Patch) -> None:
    """A score that is a millisecond off, as rounding makes it."""

    def rounded(laps: Any, rules: Any) -> Score | None:
        score = score_run(laps, rules)
        return None if score is None else dataclasses.replace(score, score_ms=score.score_ms + 1)

    patch.setattr(counted_laps, "score_run", rounded)


def computes_over_a_reboot(patch: Patch) -> None:
    """A lap over two boots gets a time, from the time of day."""
    real = LapBook.lap

    def lap(self: LapBook, number: int) -> Any:
        honest, start, end = real(self, number), self.segments[number - 1].start, self.segments[number].start
        if start.boot == end.boot:
            return honest
        return dataclasses.replace(honest, lap_ns=abs(end.utc_ns - start.utc_ns) + 1, valid=True, reason="")

    patch.setattr(LapBook, "lap", lap)


def forgets_the_time_limit(patch: Patch) -> None:
    patch.setattr(Run, "ends_ns", lambda _self, _boot: None)


def takes_a_lap_too_soon(patch: Patch) -> None:
    patch.setattr(LapBook, "too_soon", lambda _self, _mark: False)
