"""Turns of LIVE virtual races: a farm's node claims the one that is launched, drives it in real time, and reports it.

What happens on the track meanwhile comes in by the live messages that all senders use. Real time cannot be made up for:
a turn is given out once a launch, and whoever dies with it leaves an official to launch it again.
"""

import dataclasses
import logging
from collections.abc import Callable

import sqlalchemy as sa

from leaderboard.core import acceptance, access
from leaderboard.core.access import NOBODY, Caller
from leaderboard.core.attempts import why_unqualified
from leaderboard.core.errors import Gone
from leaderboard.core.live import queue as rules
from leaderboard.core.live.queue import LiveQueue, QueueItem
from leaderboard.core.race import RaceRecord
from leaderboard.core.submissions.states import DRIVABLE
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.evaluations.claims import check_farm
from leaderboard.evaluations.race_conditions import adopt, open_race, wanted_conditions
from leaderboard.evaluations.scores import STATION, post_result, scored_sentence
from leaderboard.live_races import rows
from leaderboard.live_races.service import LiveRaces
from leaderboard.store import race_rows
from leaderboard.store.database import Store
from leaderboard.store.evaluations import condition_rows
from leaderboard.store.submissions import submission_rows
from leaderboard.submissions.checkpoint_choices import checkpoint_of
from shared.errors import BadInput, Refused
from shared.protocol.farm import ClaimReply, RunFailure, RunReport, encode
from shared.protocol.farm_shows import LiveTurn, LiveTurnAnswer, LiveTurnRequest
from shared.protocol.results import Evidence, Result
from shared.rules.ranking import score_run
from shared.text import text
from shared.units import NS_PER_MS, NS_PER_S

IDLE_AFTER_S = 1.0
_LATEST_NS = 5 * NS_PER_S  # with less of a run left, nobody begins to drive it
_LONGEST_NS = rules.COUNTDOWN_NS + rules.MAX_RUN_S * NS_PER_S
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
            submission = submission_rows.get(db, item.submission_id)
            conditions = condition_rows.conditions(db, report.conditions_sha256)
            result = _result(race, item, submission, report, "" if conditions is None else conditions.profile)
            accepted = post_result(db, result, now_utc_ns)
            after = queue
            if item.state == "running":
                after = rules.changed(queue, turn, "finish", now_utc_ns)
            after = _saved(db, stored, after)
        if after != stored:
            self._live.announce(after, now_utc_ns)
        self._changed(race.race_id)
        if not result.qualified:
            why = why_unqualified(result.laps, race.rules)
            return encode(
                ClaimReply(submission.submission_id, "unqualified", text("It did not qualify: {why}.", why=why))
            )
        return encode(ClaimReply(submission.submission_id, "scored", scored_sentence(result, accepted)))

    def fail(self, caller: Caller, turn: str, launch: int, failure: RunFailure, now_utc_ns: int) -> bytes:
        """The run came to nothing: an official reads why, and may launch it again. Raises Gone."""
        farm = check_farm(caller)
        with self._store.write() as db:
            race = _race_of(db, turn)
            stored, queue, item = _driven_by(db, farm, race.race_id, turn, launch, now_utc_ns)
            after = queue
            if item.state in rules.ON_TRACK:
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
            submission = submission_rows.newest_of_racer(db, race_id, item.racer, item.account_id, DRIVABLE)
            if submission is None:
                why = text("There is no model of this racer to drive: submit one to this race.")
                after = _saved(db, stored, rules.changed(queue, item.item_id, "fail", now_utc_ns, str(why)))
                turn = None
            else:
                turn = _turn(db, race, item, submission, engine, now_utc_ns)
                if turn is None:
                    return None
                taken = dataclasses.replace(item, driver=driver, submission_id=submission.submission_id)
                items = tuple(taken if each.item_id == item.item_id else each for each in queue.items)
                # No official's press is refused by this: what they see of the queue is as it was.
                rows.save(db, stored, dataclasses.replace(queue, items=items))
                return turn
        self._live.announce(after, now_utc_ns)
        return turn


def _turn(
    db: sa.Connection, race: RaceRecord, item: QueueItem, submission: ModelSubmission, engine: str, now_utc_ns: int
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
    return LiveTurn(
        race_id=race.race_id,
        turn=item.item_id,
        launch=item.launches,
        racer=item.racer,
        starts_in_ms=max(0, starts - now_utc_ns) // NS_PER_MS,
        run_ms=(ends - max(starts, now_utc_ns)) // NS_PER_MS,
        seed=open_race(db, race, now_utc_ns).seeds.race[0],  # the same car and the same light for everybody
        model_sha256=submission.model_sha256,
        checkpoint=checkpoint_of(db, submission, conditions.sha256),
        conditions=conditions,
        conditions_sha256=conditions.sha256,
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


def _result(race: RaceRecord, item: QueueItem, submission: ModelSubmission, report: RunReport, car: str) -> Result:
    score = score_run(report.laps, race.rules)
    starts = item.starts_utc_ns
    assert starts is not None, "a turn that was driven was launched"
    driven_ns = report.laps[-1].ended_ns if report.laps else 0
    return Result(
        result_id=f"live-{item.item_id}-{item.launches}",
        revision=1,
        race_id=race.race_id,
        racer=item.racer,
        run_id=f"{item.item_id}-{item.launches}",
        car=car,
        model=submission.model_name,
        model_sha256=submission.model_sha256,
        laps=report.laps,
        score_ms=0 if score is None else score.score_ms,
        finished_utc_ns=starts + driven_ns,
        evidence=Evidence(
            station=STATION,
            journal_head=report.trace_sha256,
            first_seq=item.launches,
            last_seq=item.launches,
            uncertainty_ns=0,
            versions={"driver": item.driver.partition("/")[2]},
            conditions_sha256=report.conditions_sha256,
        ),
        kind="virtual",
        v=2 if score is None else 1,
        qualified=score is not None,
    )
