"""Heats that farms drove, to be watched again: who was ahead in each run and why, and the traces of both cars.

A heat may be watched by whoever sees its bracket, as everybody may look on at a track. The files of a run (what its
model asked for at each frame) go to its racer and to the officials of its race alone, as those of a submission do.
"""

from dataclasses import dataclass

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import NotAllowed, NotHere
from leaderboard.core.race import RaceRecord
from leaderboard.core.seasons.bracket import HeatNow
from leaderboard.evaluations.traces import read_kept
from leaderboard.seasons.brackets import BracketNow, BracketService
from leaderboard.store import entries, race_rows
from leaderboard.store.database import Store
from leaderboard.store.evaluations import heat_rows, trace_rows
from leaderboard.store.season_rows import BracketRecord
from leaderboard.submissions.eligibility import check_key_covers
from shared.protocol.farm_shows import HeatRun
from shared.text import text
from shared.traces.trace import DriveTrace

FIRST, SECOND = 0, 1


@dataclass(frozen=True, slots=True)
class WatchedHeat:
    """A heat that farms drove, with its runs in the order of their seeds; `names`: of both as they are shown."""

    race: RaceRecord
    bracket: BracketRecord
    heat: HeatNow
    names: tuple[str, str]
    runs: tuple[HeatRun, ...]

    @property
    def racers(self) -> tuple[str, str]:
        """Its first and its second."""
        return self.heat.first or "", self.heat.second or ""

    @property
    def winner(self) -> int:
        """Who won the heat: FIRST or SECOND."""
        return FIRST if self.heat.winner == self.heat.first else SECOND


class HeatReplays:
    """The driven heats of one store. Safe to call from any thread."""

    def __init__(self, store: Store, brackets: BracketService) -> None:
        self._store, self._brackets = store, brackets

    def numbers(self, now: BracketNow) -> frozenset[int]:
        """The heats of a bracket that can be watched."""
        with self._store.read() as db:
            return frozenset(heat_rows.shown(db, now.bracket.bracket_id))

    def heat(self, caller: Caller, bracket_id: str, number: int) -> WatchedHeat:
        """The heat. Raises UnknownItem (also for a bracket that the caller does not see), NotHere."""
        now = self._brackets.bracket(caller, bracket_id)
        with self._store.read() as db:
            runs = heat_rows.shown(db, bracket_id).get(number)
            race = race_rows.race(db, now.bracket.race_id)
        if runs is None or not 1 <= number <= len(now.heats) or now.heats[number - 1].result is None:
            raise NotHere(text("There is no such heat to replay in this bracket: no farm has driven it."))
        heat = now.heats[number - 1]
        first, second = heat.first or "", heat.second or ""
        names = (now.names.get(first, first), now.names.get(second, second))
        return WatchedHeat(race, now.bracket, heat, names, tuple(runs))

    def run(self, heat: WatchedHeat, place: int) -> HeatRun:
        """One of its runs; places count from 1. Raises NotHere."""
        if not 1 <= place <= len(heat.runs):
            raise NotHere(text("This heat has the runs 1 to {count}.", count=len(heat.runs)))
        return heat.runs[place - 1]

    def traces(self, run: HeatRun) -> tuple[DriveTrace, DriveTrace]:
        """Where both cars were. Raises NotHere if the traces are not kept."""
        first, second = (read_kept(self._file(sha256)) for sha256 in run.traces)
        return first, second

    def taken_by(self, caller: Caller, heat: WatchedHeat) -> tuple[bool, bool]:
        """Whether the caller may take the files of the first, and of the second."""
        sender = caller.submitter()
        if access.may(sender, "submission.manage", heat.race):
            return True, True
        with self._store.read() as db:
            entry = entries.of_account(db, heat.race.race_id, sender.account_id)
        first, second = (entry is not None and entry.racer == racer for racer in heat.racers)
        return first, second

    def file(self, caller: Caller, bracket_id: str, number: int, place: int, side: int) -> bytes:
        """The trace's file of one racer of a run, to the racer and to officials.

        Raises UnknownItem, NotHere, NotAllowed.
        """
        heat = self.heat(caller.submitter(), bracket_id, number)
        check_key_covers(caller, heat.race.race_id)
        run = self.run(heat, place)
        if not self.taken_by(caller, heat)[side]:
            raise NotAllowed(text("The files of a run are its racer's own: everybody may watch the heat."))
        return self._file(run.traces[side])

    def _file(self, sha256: str) -> bytes:
        with self._store.read() as db:
            stored = trace_rows.file(db, sha256)
        if stored is None:
            raise NotHere(text("The trace of this run is not kept."))
        return stored
