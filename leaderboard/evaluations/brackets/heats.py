"""Gives the heats of a bracket to farms, and enters what they came to: the bracket runs itself, up to its final.

Which heats are to be driven follows from the bracket, so nothing of a claim is stored: this process remembers until
when a heat is somebody's. Where it forgets, or another process gives the heat again, it is driven twice and comes to
the same; the first report is entered, once.
"""

import logging
import threading
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict
from leaderboard.core.race import RaceRecord
from leaderboard.core.seasons.bracket import HeatNow, HeatResult
from leaderboard.evaluations.claims import check_farm
from leaderboard.evaluations.race_conditions import open_race, wanted_conditions
from leaderboard.seasons.brackets import BracketNow, BracketService
from leaderboard.store import race_rows
from leaderboard.store.database import Store
from leaderboard.store.submissions import submission_rows
from leaderboard.submissions.checkpoint_choices import checkpoint_of
from shared.errors import BadInput, Refused
from shared.protocol.farm import ClaimReply, RunFailure, encode
from shared.protocol.farm_shows import HeatAnswer, HeatReport, HeatRequest, HeatSide, HeatWork
from shared.text import text
from shared.units import NS_PER_S

ATTEMPTS = 3
IDLE_AFTER_S = 2.0
_LOG = logging.getLogger("leaderboard")
_Key = tuple[str, int, int]


@dataclass(slots=True)
class _Given:
    """A heat that was given out: to whom last, until when, how often."""

    farm: str = ""
    until_utc_ns: int = 0
    attempts: int = 0


class DrivenHeats:
    """The heats of one store. Safe to call from any thread. `claim_s`: how long a run of a heat may take."""

    def __init__(self, store: Store, brackets: BracketService, claim_s: float) -> None:
        self._store, self._brackets, self._claim_ns = store, brackets, round(claim_s * NS_PER_S)
        self._lock = threading.Lock()
        self._given: dict[_Key, _Given] = {}

    def claim(self, caller: Caller, asked: HeatRequest, now_utc_ns: int) -> HeatAnswer:
        """Give a node a heat whose racers are known. Raises Unauthorized, NotAllowed."""
        farm = check_farm(caller)
        for now in self._brackets.driven():
            if not access.key_may(caller, "farm", now.bracket.race_id):
                continue
            for heat in now.heats:
                if heat.state != "ready" or not self._free(_key(now, heat), now_utc_ns):
                    continue
                work = self._work(now, heat, asked.engine, now_utc_ns)
                if work is not None and self._take(_key(now, heat), farm, now_utc_ns):
                    return HeatAnswer(work)
        return HeatAnswer(ask_after_s=IDLE_AFTER_S)

    def report(self, caller: Caller, bracket_id: str, number: int, report: HeatReport, now_utc_ns: int) -> bytes:
        """The heat is driven: its result is in the bracket. The same again has the same answer.

        Raises UnknownItem, Conflict (it has another result, or the race was changed meanwhile), Refused.
        """
        farm = check_farm(caller)
        now, heat = self._driven(caller, bracket_id, number)
        with self._store.read() as db:
            conditions = wanted_conditions(db, race_rows.race(db, now.bracket.race_id))
        if conditions.sha256 != report.conditions_sha256:
            raise Conflict(text("The race was changed: the heat is driven by its new conditions."))
        result = heat_result(now, heat, report.winner, report.times_ms)
        if heat.result != result:
            evidence = {"farm": farm, "traces": report.traces}
            self._brackets.enter_driven(bracket_id, number, result, report.runs, evidence, now_utc_ns)
        with self._lock:
            self._given.pop(_key(now, heat), None)
        winner = now.names.get(result.winner, result.winner)
        return encode(ClaimReply("", "scored", text("{name} wins", name=winner)))

    def fail(self, caller: Caller, bracket_id: str, number: int, failure: RunFailure, now_utc_ns: int) -> bytes:
        """The heat came to nothing: it is given out again, three times in all; then its organiser enters the result."""
        farm = check_farm(caller)
        now, heat = self._driven(caller, bracket_id, number)
        _LOG.warning("heat %d of the bracket %r was not driven: %s", number, now.bracket.name, failure.sentence)
        with self._lock:
            given = self._given.get(_key(now, heat))
            if given is not None and given.farm == farm:
                given.until_utc_ns = now_utc_ns
        return encode(ClaimReply("", "failed", failure.sentence))

    def _driven(self, caller: Caller, bracket_id: str, number: int) -> tuple[BracketNow, HeatNow]:
        """The heat of a bracket that farms drive. Raises Conflict."""
        for now in self._brackets.driven():
            own = now.bracket.bracket_id == bracket_id and access.key_may(caller, "farm", now.bracket.race_id)
            if own and 1 <= number <= len(now.heats):
                return now, now.heats[number - 1]
        raise Conflict(text("There is no such heat that farms drive."))

    def _free(self, key: _Key, now_utc_ns: int) -> bool:
        given = self._given.get(key, _Given())
        return given.until_utc_ns <= now_utc_ns and given.attempts < ATTEMPTS

    def _take(self, key: _Key, farm: str, now_utc_ns: int) -> bool:
        with self._lock:
            if not self._free(key, now_utc_ns):
                return False
            given = self._given.setdefault(key, _Given())
            given.farm, given.until_utc_ns, given.attempts = farm, now_utc_ns + self._claim_ns, given.attempts + 1
            return True

    def _work(self, now: BracketNow, heat: HeatNow, engine: str, now_utc_ns: int) -> HeatWork | None:
        with self._store.read() as db:
            race = race_rows.race(db, now.bracket.race_id)
            try:
                conditions = wanted_conditions(db, race)
            except (BadInput, Refused) as refusal:
                _LOG.warning("the bracket %r waits: %s", now.bracket.name, refusal)
                return None
            sha256 = conditions.sha256
            first, second = (_side(db, race, racer or "", sha256) for racer in (heat.first, heat.second))
            if first is None or second is None or conditions.engine != engine:
                _LOG.warning("heat %d of the bracket %r waits for models or a farm", heat.plan.number, now.bracket.name)
                return None
        with self._store.write() as db:
            seeds = open_race(db, race, now_utc_ns).seeds.final[: conditions.runs]
        return HeatWork(
            now.bracket.bracket_id,
            heat.plan.number,
            race.race_id,
            first,
            second,
            seeds,
            conditions,
            conditions.sha256,
        )


def _key(now: BracketNow, heat: HeatNow) -> _Key:
    return now.bracket.bracket_id, heat.plan.number, now.runs.get(heat.plan.number, 0) + (heat.state != "done")


def _side(db: sa.Connection, race: RaceRecord, racer: str, conditions_sha256: str) -> HeatSide | None:
    """The model that the racer qualified with last."""
    submission = submission_rows.newest_of_racer(db, race.race_id, racer, "", {"scored"})
    if submission is None:
        return None
    return HeatSide(racer, submission.model_sha256, checkpoint_of(db, submission, conditions_sha256))


def heat_result(
    now: BracketNow, heat: HeatNow, winner: int | None, times_ms: tuple[int | None, int | None]
) -> HeatResult:
    """The result; if nobody is ahead (`winner` None), the better seed is through."""
    sides = (heat.first or "", heat.second or "")
    better = min((0, 1), key=lambda side: now.bracket.seeds.index(sides[side]))
    return HeatResult(sides[better if winner is None else winner], *times_ms)
