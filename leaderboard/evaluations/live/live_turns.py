"""Turns of LIVE virtual races: a farm's node claims the one that is launched, drives it in real time, and reports it.

A turn is of one racer, or a heat of two in one world.

What happens on the track meanwhile comes in by the live messages that all senders use. Real time cannot be made up for:
a turn is given out once a launch, and whoever dies with it leaves an official to launch it again.
"""

import dataclasses
import logging
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from leaderboard.core import acceptance, access
from leaderboard.core.access import NOBODY, Caller
from leaderboard.core.attempts import why_unqualified
from leaderboard.core.errors import Conflict, Gone
from leaderboard.core.live import heats
from leaderboard.core.live import queue as rules
from leaderboard.core.live.queue import LiveQueue
from leaderboard.core.live.turn import COUNTDOWN_NS, MAX_RUN_S, ON_TRACK, QueueItem
from leaderboard.core.race import RaceRecord
from leaderboard.core.submissions.states import DRIVABLE
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.evaluations.claims import check_farm
from leaderboard.evaluations.live.results import enter_in_bracket, outcome, posted
from leaderboard.evaluations.race_conditions import adopt, open_race, wanted_conditions
from leaderboard.evaluations.scores import scored_sentence
from leaderboard.live_races import rows
from leaderboard.live_races.service import LiveRaces
from leaderboard.store import race_rows
from leaderboard.store.database import Store
from leaderboard.store.submissions import submission_rows
from leaderboard.submissions.checkpoint_choices import checkpoint_of
from shared.errors import BadInput, Refused
from shared.protocol.farm import ClaimReply, LiveHeatReport, RunFailure, RunReport, encode
from shared.protocol.farm_shows import HeatSide, LiveTurn, LiveTurnAnswer, LiveTurnRequest
from shared.text import text
from shared.units import NS_PER_MS, NS_PER_S

IDLE_AFTER_S = 1.0
_LATEST_NS = 5 * NS_PER_S  # with less of a run left, nobody begins to drive it
_LONGEST_NS = COUNTDOWN_NS + MAX_RUN_S * NS_PER_S
_OVER = text("The turn is over: it was ended, or is launched again.")
_LOG = logging.getLogger("leaderboard")


class LiveTurns:
    """The turns of one store. Safe to call from any thread; the time is an argument.

    `changed(race_id)` is called after a commit that changes a standing.
    """

    def __init__(self, store: Store, live: LiveRaces, changed: Callable[[str], None]) -> None:
        self._store, self._live, self._changed = store, live, changed

    def claim(self, caller: Caller, asked: LiveTurnRequest, now_utc_ns: int) -> LiveTurnAnswer:
        """Give the node the turn that is launched, if nobody drives it. Raises Unauthorized, NotAllowed."""
        farm = check_farm(caller)
        with self._store.read() as db:
            launched = rows.launched_races(db, now_utc_ns - _LONGEST_NS)
        for race_id in launched:
            if access.key_may(caller, "farm", race_id):
                turn = self._claim(f"{farm}/{asked.node}", asked.engine, race_id, now_utc_ns)
                if turn is not None:
                    return LiveTurnAnswer(turn)
        return LiveTurnAnswer(ask_after_s=IDLE_AFTER_S)

    def report(self, caller: Caller, turn: str, launch: int, report: RunReport, now_utc_ns: int) -> bytes:
        """The run is driven: its result is on the board. The same again has the same answer. Raises Gone, Refused."""
        farm = check_farm(caller)
        acceptance.check_laps(report.laps)
        with self._store.write() as db:
            race = _race_of(db, turn)
            stored, queue, item = _driven_by(db, farm, race.race_id, turn, launch, now_utc_ns)
            if item.state not in ("running", "done"):
                raise Gone(_OVER)
            if item.rival:
                raise Refused(text("This turn is a heat: report the runs of both."))
            (driven,) = posted(db, race, item, (report,), now_utc_ns)
            after = queue
            if item.state == "running":
                after = rules.changed(queue, turn, "finish", now_utc_ns)
            after = _saved(db, stored, after)
        if after != stored:
            self._live.announce(after, now_utc_ns)
        self._changed(race.race_id)
        if not driven.result.qualified:
            why = why_unqualified(driven.result.laps, race.rules)
            return encode(ClaimReply(item.submission_id, "unqualified", text("It did not qualify: {why}.", why=why)))
        return encode(ClaimReply(item.submission_id, "scored", scored_sentence(driven.result, driven.accepted)))

    def report_heat(self, caller: Caller, turn: str, launch: int, report: LiveHeatReport, now_utc_ns: int) -> bytes:
        """The heat is driven: both runs are on the board, who won is in the queue, and in the bracket if it is of one.

        The same again has the same answer. Raises Gone, Refused, Conflict.
        """
        farm = check_farm(caller)
        for run in report.runs:
            acceptance.check_laps(run.laps)
        with self._store.write() as db:
            race = _race_of(db, turn)
            stored, queue, item = _driven_by(db, farm, race.race_id, turn, launch, now_utc_ns)
            if item.state not in ("running", "done"):
                raise Gone(_OVER)
            if not item.rival:
                raise Refused(text("This turn is of one racer: report its run."))
            ahead, reason = outcome(item, report)
            if item.reason and (item.ahead, item.reason) != (ahead, reason):
                raise Conflict(text("Something else was said of this run before: that stays."))
            posted(db, race, item, report.runs, now_utc_ns)
            if item.state == "running":
                queue = rules.changed(queue, turn, "finish", now_utc_ns)
            after = _saved(db, stored, heats.won(queue, turn, ahead, reason))
            if item.bracket_id and not item.reason:
                enter_in_bracket(db, race, item, report, now_utc_ns)
        if after != stored:
            self._live.announce(after, now_utc_ns)
        self._changed(race.race_id)
        return encode(ClaimReply(item.submission_id, "scored", str(heats.outcome(after.item(turn)))))

    def fail(self, caller: Caller, turn: str, launch: int, failure: RunFailure, now_utc_ns: int) -> bytes:
        """The run came to nothing: an official reads why, and may launch it again. Raises Gone."""
        farm = check_farm(caller)
        with self._store.write() as db:
            race = _race_of(db, turn)
            stored, queue, item = _driven_by(db, farm, race.race_id, turn, launch, now_utc_ns)
            after = queue
            if item.state in ON_TRACK:
                after = _saved(db, stored, rules.changed(queue, turn, "fail", now_utc_ns, failure.sentence))
        if after != queue:
            self._live.announce(after, now_utc_ns)
        return encode(ClaimReply(item.submission_id, "failed", failure.sentence))

    def _claim(self, driver: str, engine: str, race_id: str, now_utc_ns: int) -> LiveTurn | None:
        with self._store.write() as db:
            race = race_rows.race(db, race_id, for_change=True)
            stored = rows.load(db, race_id)
            queue = rules.settled(stored, now_utc_ns)
            item = queue.on_track
            if race.venue != "virtual" or not race.live or item is None or item.driver:
                return None
            starts, ends = item.starts_utc_ns, item.ends_utc_ns
            assert starts is not None
            assert ends is not None
            if ends - now_utc_ns < _LATEST_NS:
                return None
            submissions = [
                submission_rows.newest_of_racer(db, race_id, car.racer, car.account_id, DRIVABLE) for car in item.cars
            ]
            found = [each for each in submissions if each is not None]
            if len(found) < len(submissions):
                why = text("There is no model of this racer to drive: submit one to this race.")
                if item.rival:
                    why = text("{name} cannot drive: {why}", name=item.cars[submissions.index(None)].name, why=why)
                after = _saved(db, stored, rules.changed(queue, item.item_id, "fail", now_utc_ns, str(why)))
                turn = None
            else:
                turn = _turn(db, race, item, found, engine, now_utc_ns)
                if turn is None:
                    return None
                second = found[1].submission_id if item.rival else ""
                taken = dataclasses.replace(
                    item, driver=driver, submission_id=found[0].submission_id, rival_submission_id=second
                )
                items = tuple(taken if each.item_id == item.item_id else each for each in queue.items)
                # No official's press is refused by this: what they see of the queue is as it was.
                rows.save(db, stored, dataclasses.replace(queue, items=items))
                return turn
        self._live.announce(after, now_utc_ns)
        return turn


def _turn(
    db: sa.Connection,
    race: RaceRecord,
    item: QueueItem,
    submissions: Sequence[ModelSubmission],
    engine: str,
    now_utc_ns: int,
) -> LiveTurn | None:
    """What a node of this engine is told; None if it cannot drive the race."""
    try:
        conditions = wanted_conditions(db, race)
    except (BadInput, Refused) as refusal:
        _LOG.warning("the LIVE race %r waits: %s", race.race_id, refusal)
        return None
    if conditions.engine != engine:
        _LOG.warning("the LIVE race %r waits for a farm with the engine %s", race.race_id, conditions.engine)
        return None
    adopt(db, NOBODY, race, conditions, now_utc_ns)
    starts, ends = item.starts_utc_ns, item.ends_utc_ns
    assert starts is not None
    assert ends is not None
    sides = [
        HeatSide(car.racer, each.model_sha256, checkpoint_of(db, each, conditions.sha256))
        for car, each in zip(item.cars, submissions, strict=True)
    ]
    return LiveTurn(
        race_id=race.race_id,
        turn=item.item_id,
        launch=item.launches,
        racer=item.racer,
        starts_in_ms=max(0, starts - now_utc_ns) // NS_PER_MS,
        run_ms=(ends - max(starts, now_utc_ns)) // NS_PER_MS,
        seed=open_race(db, race, now_utc_ns).seeds.race[0],  # the same car and the same light for everybody
        model_sha256=sides[0].model_sha256,
        checkpoint=sides[0].checkpoint,
        conditions=conditions,
        conditions_sha256=conditions.sha256,
        rival=sides[1] if item.rival else None,
    )


def _race_of(db: sa.Connection, turn: str) -> RaceRecord:
    """The race in whose queue the turn is. Raises Gone."""
    race_id = rows.race_of(db, turn)
    if race_id is None:
        raise Gone(_OVER)
    return race_rows.race(db, race_id, for_change=True)


def _driven_by(
    db: sa.Connection, farm: str, race_id: str, turn: str, launch: int, now_utc_ns: int
) -> tuple[LiveQueue, LiveQueue, QueueItem]:
    """The queue as stored and as it stands, and the turn in it that this farm drives. Raises Gone."""
    stored = rows.load(db, race_id)
    queue = rules.settled(stored, now_utc_ns)
    for item in queue.items:
        if item.item_id == turn and item.launches == launch and item.driver.startswith(f"{farm}/"):
            return stored, queue, item
    raise Gone(_OVER)


def _saved(db: sa.Connection, stored: LiveQueue, after: LiveQueue) -> LiveQueue:
    """Store the queue as another version of it, if it is another."""
    if after == stored:
        return after
    after = dataclasses.replace(after, version=stored.version + 1)
    rows.save(db, stored, after)
    return after
