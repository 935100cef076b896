"""Gives runs to the nodes of farms: which races a node may drive, which runs are next, until when they are its own."""

import dataclasses
import importlib.metadata
import logging
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import NOBODY, Caller
from leaderboard.core.errors import Conflict, NotAllowed, Unauthorized
from leaderboard.core.evaluations.agreement import class_of
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.evaluations.interruptions import EDITED, FARM, begin_anew, expire
from leaderboard.evaluations.race_conditions import adopt, open_race, wanted_conditions
from leaderboard.evaluations.repetitions import NODE_IS_THERE_NS
from leaderboard.evaluations.waiting_work import ChosenRun, OpenWork, WaitingWork, first_of
from leaderboard.store import race_rows
from leaderboard.store.evaluations import (
    claim_rows,
    condition_rows,
    evaluation_rows,
    node_rows,
    queue_rows,
)
from leaderboard.store.evaluations.claim_rows import RunClaim
from leaderboard.store.evaluations.evaluation_rows import Evaluation
from leaderboard.store.evaluations.node_rows import FarmNode
from leaderboard.store.submissions import submission_rows
from leaderboard.submissions.checkpoint_choices import checkpoint_of
from leaderboard.submissions.preparations import needs_preparation, preparation_row, run_rows
from shared.conditions import ENGINE
from shared.errors import BadInput, Refused
from shared.protocol.farm import PREPARATION, ClaimAnswer, ClaimRequest, PreparationItem, WorkItem
from shared.text import text
from shared.units import NS_PER_S

_SEEN_EACH_NS = 10 * NS_PER_S
_ASK_AFTER_S, _IDLE_AFTER_S = 0.2, 1.0
_LOG = logging.getLogger("leaderboard")


def check_farm(caller: Caller) -> str:
    """The farm that asks: its key's id, "admin" for the admin. Raises Unauthorized, NotAllowed."""
    if caller.has("admin"):
        return caller.key_id or "admin"
    if caller == NOBODY:
        raise Unauthorized(text("This needs the header `Authorization: Bearer` with the key of a model farm."))
    if "farm" not in caller.key_scopes:
        raise NotAllowed(text("Only a key with the scope `farm` may do this."))
    return caller.key_id


@dataclass(frozen=True, slots=True)
class Claiming:
    """One claim, within its transaction. `claim_ns`: how long a run may take before it is given to another."""

    db: sa.Connection
    caller: Caller
    farm: str
    asked: ClaimRequest
    now_utc_ns: int
    claim_ns: int

    def answer(self) -> ClaimAnswer:
        """Give out what the node is to drive. Raises Conflict for a node or an engine that may drive nothing."""
        expire(self.db, self.now_utc_ns)
        if not self.asked.canary_sha256:
            return ClaimAnswer(canary=True)
        node, restored = self._node()
        if restored:
            return ClaimAnswer(canary=True)
        begun = evaluation_rows.waiting(self.db)
        races, others = self._open_races(node, {*queue_rows.races(self.db), *(each.race_id for each in begun)})
        self._check_engine(others, bool(races))
        if not races or not self.asked.wanted:
            return ClaimAnswer(ask_after_s=_IDLE_AFTER_S)
        chosen = WaitingWork(self.db, begun, races, node.node, self.asked.wanted).choose(self.now_utc_ns)
        given = [item for each in chosen for item in self._give(node, each, races)]
        work = tuple(each for each in given if isinstance(each, WorkItem))
        preparations = tuple(each for each in given if isinstance(each, PreparationItem))
        return ClaimAnswer(work, preparations=preparations, ask_after_s=_ASK_AFTER_S if given else _IDLE_AFTER_S)

    def _node(self) -> tuple[FarmNode, bool]:
        """The node that asks, and whether it is to drive its canary anew, as it was set aside and is not any more."""
        node_id, now = f"{self.farm}/{self.asked.node}", self.now_utc_ns
        known = node_rows.get(self.db, node_id)
        canary = self.asked.canary_sha256
        if known is None:
            made = FarmNode(
                node_id,
                self.farm,
                self.asked.node,
                class_of(canary),
                canary,
                self.asked.engine,
                self.asked.cores,
                now,
                now,
            )
            return node_rows.store(self.db, made), False
        if known.state == "aside":
            raise Conflict(text("The node {node} is set aside: {reason}", node=repr(known.name), reason=known.reason))
        same = (known.canary_sha256, known.engine, known.cores) == (canary, self.asked.engine, self.asked.cores)
        if same and known.state == "active" and now - known.seen_utc_ns < _SEEN_EACH_NS:
            return known, False
        changed = dataclasses.replace(
            known,
            node_class=class_of(canary),
            canary_sha256=canary,
            engine=self.asked.engine,
            cores=self.asked.cores,
            seen_utc_ns=max(now, known.seen_utc_ns),
            state="active",
        )
        return node_rows.store(self.db, changed), known.state == "restored"

    def _open_races(self, node: FarmNode, waiting: set[str]) -> tuple[dict[str, OpenWork], set[str]]:
        """Those of the races that wait that the node may drive, and the engines of those that need another one."""
        found: dict[str, OpenWork] = {}
        others: set[str] = set()
        for race_id in sorted(waiting):
            if not access.key_may(self.caller, "farm", race_id):
                continue
            try:
                work = self._open_race(race_id, node, others)
            except (BadInput, Refused) as refusal:
                # One race that cannot be driven stops no other; its page says so too.
                _LOG.warning("the submissions of race %r wait: %s", race_id, refusal)
                continue
            if work is not None:
                found[race_id] = work
        return found, others

    def _open_race(self, race_id: str, node: FarmNode, others: set[str]) -> OpenWork | None:
        db, now = self.db, self.now_utc_ns
        race = race_rows.race(db, race_id)
        conditions = wanted_conditions(db, race)
        if conditions.engine != self.asked.engine:
            others.add(conditions.engine)
            return None
        kept = open_race(db, race, now)
        if kept.node_class != node.node_class:
            if kept.node_class and (evaluation_rows.any_done(db, race_id) or self._class_is_there(kept.node_class)):
                return None
            condition_rows.bind_class(db, race_id, node.node_class)
        if race.conditions_sha256 != conditions.sha256:
            race = race_rows.race(db, race_id, for_change=True)
            race = adopt(db, NOBODY, race, conditions, now)
            self._begin_anew(race_id)
        return OpenWork(race, conditions, kept.seeds_now)

    def _begin_anew(self, race_id: str) -> None:
        """The race was edited: what was begun by its former conditions begins anew by those of now."""
        for submission_id in queue_rows.begun_of_race(self.db, race_id):
            begin_anew(self.db, submission_rows.get(self.db, submission_id), EDITED, self.now_utc_ns)

    def _class_is_there(self, node_class: str) -> bool:
        present = node_rows.every(self.db, since_utc_ns=self.now_utc_ns - NODE_IS_THERE_NS)
        return any(each.node_class == node_class and each.state == "active" for each in present)

    def _check_engine(self, others: set[str], any_race: bool) -> None:
        # A farm of this release is never sent away: whoever sets another engine for a race of theirs would end it.
        if any_race or self.asked.engine == ENGINE:
            return
        raise Conflict(
            text(
                "This farm drives with the engine {farm}, the races here with {wanted}: install the version of raceday "
                "that the leaderboard has, which is {version}.",
                farm=repr(self.asked.engine),
                wanted=", ".join(sorted(others | {ENGINE})),
                version=importlib.metadata.version("raceday"),
            )
        )

    def _give(self, node: FarmNode, chosen: ChosenRun, races: dict[str, OpenWork]) -> list[WorkItem | PreparationItem]:
        """The run, and those that are to be driven with it; none if it was given with one before."""
        waiting = chosen.waiting
        if waiting is None:
            assert chosen.submission is not None, "a run that does not wait is of a submission that does"
            submission = submission_rows.get(self.db, chosen.submission.submission_id, for_change=True)
            runs = evaluation_rows.of_round(self.db, submission.submission_id, submission.round)
            waiting = first_of(runs or self._begin(submission, races[submission.race_id]), chosen.run)
        else:
            waiting = evaluation_rows.get(self.db, waiting.evaluation_id)
            submission = submission_rows.get(self.db, waiting.submission_id, for_change=True)
        if waiting.state != "waiting":
            return []
        if submission.state == "queued" and not waiting.repeats:
            submission = submission_rows.move(self.db, submission, "prepare", FARM, self.now_utc_ns)
        given = [waiting, *self._driven_with(waiting, submission, node)]
        return [self._claimed(node, each, submission, races[waiting.race_id]) for each in given]

    def _driven_with(self, first: Evaluation, submission: ModelSubmission, node: FarmNode) -> list[Evaluation]:
        """The other runs of the submission that wait, if the node drives them together."""
        if not self.asked.together or first.repeats:
            return []
        runs = evaluation_rows.of_round(self.db, submission.submission_id, submission.round)
        others = [each for each in runs if each.run != first.run and node.node not in each.apart_from]
        return [each for each in others if each.state == "waiting"]

    def _begin(self, submission: ModelSubmission, work: OpenWork) -> list[Evaluation]:
        conditions, now = work.conditions, self.now_utc_ns
        if needs_preparation(self.db, submission, conditions):
            begun = [preparation_row(submission, conditions, now)]
        else:
            begun = run_rows(submission, conditions, work.seeds, now)
        evaluation_rows.add(self.db, begun)
        return begun

    def _claimed(
        self, node: FarmNode, waiting: Evaluation, submission: ModelSubmission, work: OpenWork
    ) -> WorkItem | PreparationItem:
        given = dataclasses.replace(
            waiting, state="running", attempt=waiting.attempt + 1, node=node.node, engine=self.asked.engine
        )
        evaluation_rows.store(self.db, given)
        account_id = "" if given.repeats else given.account_id
        until = self.now_utc_ns + self.claim_ns
        claim_id = secrets.token_hex(12)
        claim_rows.add(
            self.db,
            RunClaim(claim_id, given.evaluation_id, account_id, self.farm, node.node, self.now_utc_ns, until),
        )
        if given.run == PREPARATION:
            return PreparationItem(
                claim=claim_id,
                submission=given.submission_id,
                race_id=given.race_id,
                attempt=given.attempt,
                model_sha256=submission.model_sha256,
                choose=not submission.checkpoint,
                conditions=work.conditions,
                conditions_sha256=given.conditions_sha256,
                deadline_s=self.claim_ns / NS_PER_S,
            )
        return WorkItem(
            claim=claim_id,
            submission=given.submission_id,
            race_id=given.race_id,
            run=given.run,
            attempt=given.attempt,
            seed=given.seed,
            model_sha256=submission.model_sha256,
            checkpoint=checkpoint_of(self.db, submission, given.conditions_sha256),
            conditions=work.conditions,
            conditions_sha256=given.conditions_sha256,
            deadline_s=self.claim_ns / NS_PER_S,
            repetition=bool(given.repeats),
        )
