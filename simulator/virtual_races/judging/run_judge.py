"""Judges the runs of a batch frame by frame: what it reports becomes laps, faults and resets in each run's book."""

from collections.abc import Sequence
from typing import Any

from shared.conditions import DrivenRules
from shared.traces.trace import Status
from shared.units import NS_PER_S
from simulator.batch.track_objects import BOT, RIVAL
from simulator.batch.vector import CRASHED, CROSSING, LEFT_TRACK, BatchWorlds, Events
from simulator.virtual_races.judging.faults import StuckCounter
from simulator.virtual_races.judging.run_book import FaultKind, RunBook

ASIDE_M = 1000.0  # so far from the track stands a car whose run is over, where its rival neither sees nor meets it


class RunJudge:
    """The books of all worlds of a batch. `statuses`: of each run, as its trace has it.

    Penalties that are served are served here: the car stands where it was put back, and is touched by nobody.
    """

    def __init__(self, worlds: BatchWorlds, books: Sequence[RunBook], rules: DrivenRules) -> None:
        self._worlds, self._rules = worlds, rules
        self.books = tuple(books)
        self.statuses: list[Status] = ["prepare"] * len(books)
        self._stuck = StuckCounter(len(books))
        self._serving: set[int] = set()

    def stands(self, run: int) -> bool:
        """Whether the car serves a penalty now: it is driven by nobody."""
        return run in self._serving

    def judge(self, runs: Sequence[int], events: Events) -> None:
        """What the last frame interval means for these runs, which are not over."""
        aside = frozenset(run for run, book in enumerate(self.books) if book.end is not None or run in self._serving)
        for run in runs:
            if run in self._serving:
                self._wait(run)
            else:
                self._judge(run, events[events["world"] == run], aside)
        self._stuck.clear(run for run in runs if self.statuses[run] != "in_progress")
        for run in runs:
            if self.books[run].end is not None and self._worlds.specs[run].rival is not None:
                self._worlds.put_at(0.0, ASIDE_M, worlds=[run])

    def _wait(self, run: int) -> None:
        """The car serves its penalty; it drives again when that is over."""
        book, at_ns = self.books[run], int(self._worlds.now_ns[run])
        book.look(at_ns, float(self._worlds.progress_m[run]))
        if at_ns >= book.waits_until_ns:
            self._serving.discard(run)
            self._worlds.set_solid(True, [run])
            self.statuses[run] = "in_progress"
            self._stuck.clear([run])

    def _judge(self, run: int, events: Events, aside: frozenset[int]) -> None:
        book, at_ns = self.books[run], int(self._worlds.now_ns[run])
        progress_m = float(self._worlds.progress_m[run])
        left_ns = crashed_ns = None
        for event in events:
            if event["kind"] == LEFT_TRACK:
                left_ns = int(event["at_ns"])
            elif event["kind"] == CRASHED and crashed_ns is None and self._at_fault(run, event, aside):
                crashed_ns = int(event["at_ns"])
            elif left_ns is None and crashed_ns is None and _is_start_line(event):
                book.cross(int(event["at_ns"]), progress_m)
        book.look(at_ns, progress_m)
        fault: FaultKind | None = "crashed" if crashed_ns is not None else self._fault(run)
        self.statuses[run] = fault or "in_progress"
        fault_ns = {"crashed": crashed_ns, "off_track": left_ns}.get(fault or "")
        if fault and book.fault(fault, at_ns if fault_ns is None else fault_ns, at_ns):
            self._put_back(run, at_ns)

    def _put_back(self, run: int, at_ns: int) -> None:
        self._worlds.put_back([run])
        if self.books[run].waits_until_ns > at_ns:
            self._serving.add(run)
            self._worlds.set_solid(False, [run])

    def _at_fault(self, run: int, event: Any, aside: frozenset[int]) -> bool:
        """True if the car ran into something; False if a bot or the rival ran into it. A bot then waits as a car would.

        A rival that serves a penalty or is through is not there: cars drive through it.
        """
        kind, behind = int(self._worlds.objects["kind"][run, int(event["gate"])]), int(event["direction"]) == 1
        if kind == RIVAL:
            return behind and self._worlds.specs[run].rival not in aside
        if kind == BOT and not behind:
            self._worlds.pause_bots(run, self._rules.collision_penalty_ns / NS_PER_S)
            return False
        return True

    def _fault(self, run: int) -> FaultKind | None:
        if bool(self._worlds.off_track[run]):
            return "off_track"
        x, y, _ = self._worlds.pose[run].tolist()
        return self._stuck.look(run, float(self._worlds.progress_m[run]), x, y)


def _is_start_line(event: Any) -> bool:
    """True if the car crossed the start line forwards."""
    return bool(event["kind"] == CROSSING and event["gate"] == 0 and event["direction"] == 1)
