"""Takes in what farms say of the runs that they have claimed: still driving, driven, failed. Each takes effect once.

The same message again has the same answer; what is said of a claim that is over changes nothing (Gone).
"""

import dataclasses
import hashlib
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core import acceptance
from leaderboard.core.errors import Conflict, Gone
from leaderboard.core.evaluations.agreement import judge, repeat_is_due
from leaderboard.core.submissions.states import IN_WORK
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.evaluations.interruptions import EDITED, FARM, begin_anew, reject, set_aside, try_again
from leaderboard.evaluations.race_conditions import wanted_conditions
from leaderboard.evaluations.repetitions import NODE_IS_THERE_NS, repetition_of
from leaderboard.evaluations.scores import settle_runs, take_off
from leaderboard.store import race_rows
from leaderboard.store.evaluations import claim_rows, condition_rows, evaluation_rows, node_rows
from leaderboard.store.evaluations.claim_rows import RunClaim, UnknownClaim
from leaderboard.store.evaluations.evaluation_rows import Evaluation
from leaderboard.store.evaluations.node_rows import FarmNode
from leaderboard.store.submissions import model_rows, submission_rows
from leaderboard.submissions.preparations import run_rows
from shared.errors import Refused
from shared.protocol.farm import (
    PREPARATION,
    ClaimExtension,
    ClaimReply,
    PreparationReport,
    RunFailure,
    RunReport,
    encode,
)
from shared.text import text
from shared.units import NS_PER_S


@dataclass(slots=True)
class Outcome:
    """One message about one claim, within its transaction. `changed`: races whose pages it changes."""

    db: sa.Connection
    farm: str
    claim_id: str
    body: bytes
    now_utc_ns: int
    secret: str
    changed: set[str]

    def extend(self, extension: ClaimExtension, claim_ns: int) -> bytes:
        """The run goes on: it is the node's for as long as when it was claimed. Raises Gone, UnknownClaim."""
        claim, evaluation, submission = self._running()
        driving = extension.stage == "driving" and evaluation.run != PREPARATION
        if driving and submission.state == "preparing":
            submission = submission_rows.move(self.db, submission, "evaluate", FARM, self.now_utc_ns)
        claim_rows.store(self.db, dataclasses.replace(claim, until_utc_ns=self.now_utc_ns + claim_ns))
        node = node_rows.get(self.db, claim.node)
        if node is not None:
            node_rows.store(self.db, dataclasses.replace(node, seen_utc_ns=max(node.seen_utc_ns, self.now_utc_ns)))
        return encode(ClaimReply(evaluation.submission_id, submission.state, submission.sentence, claim_ns / NS_PER_S))

    def report(self, report: RunReport) -> bytes:
        """The run is driven. Raises Gone, Conflict, Refused, UnknownClaim."""
        if (answer := self._answered()) is not None:
            return answer
        claim, evaluation, submission = self._running()
        self._check_kind(evaluation, report)
        acceptance.check_laps(report.laps)
        self._check_limits(evaluation, report)
        if self._edited(evaluation, submission):
            return self._answer(claim, "over", evaluation, report.cost_ms)
        done = evaluation_rows.store(
            self.db,
            dataclasses.replace(
                evaluation,
                state="done",
                trace_sha256=report.trace_sha256,
                report=encode(report).decode(),
                cost_ms=report.cost_ms,
                ended_utc_ns=self.now_utc_ns,
            ),
        )
        self._credit(claim.node, done, report.cost_ms)
        if done.repeats:
            self._judge(done.repeats)
        else:
            self._settle(submission)
        return self._answer(claim, "done", done, report.cost_ms)

    def prepared(self, report: PreparationReport) -> bytes:
        """The archive is read: the submission's runs wait now. Raises Gone, Conflict, Refused, UnknownClaim."""
        if (answer := self._answered()) is not None:
            return answer
        claim, evaluation, submission = self._running()
        self._check_kind(evaluation, report)
        if self._edited(evaluation, submission):
            return self._answer(claim, "over", evaluation, report.cost_ms)
        done = dataclasses.replace(
            evaluation,
            state="done",
            report=encode(report).decode(),
            cost_ms=report.cost_ms,
            ended_utc_ns=self.now_utc_ns,
        )
        evaluation_rows.store(self.db, done)
        self._credit(claim.node, done, report.cost_ms)
        model_rows.remember_checkpoints(self.db, submission.model_sha256, report.checkpoints)
        conditions = condition_rows.conditions(self.db, evaluation.conditions_sha256)
        kept = condition_rows.virtual_race(self.db, evaluation.race_id)
        assert conditions is not None and kept is not None, "they were stored before the preparation was given out"  # noqa: PT018
        evaluation_rows.add(self.db, run_rows(submission, conditions, kept.seeds_now, self.now_utc_ns))
        self.changed.add(submission.race_id)  # there is work now, for others too
        return self._answer(claim, "prepared", done, report.cost_ms)

    def fail(self, failure: RunFailure) -> bytes:
        """The run came to nothing. Raises Gone, Conflict, UnknownClaim."""
        if (answer := self._answered()) is not None:
            return answer
        claim, evaluation, submission = self._running()
        claim = claim_rows.store(
            self.db, dataclasses.replace(claim, state="failed", ended_utc_ns=self.now_utc_ns, cost_ms=failure.cost_ms)
        )
        if failure.fault == "model" and not evaluation.repeats:
            reject(self.db, submission, failure.sentence, self.now_utc_ns)
            take_off(self.db, submission, self.now_utc_ns)
            self.changed.add(submission.race_id)
        else:
            try_again(self.db, claim, text("The farm failed: {sentence}", sentence=failure.sentence), self.now_utc_ns)
        return self._answer(claim, "failed", evaluation, failure.cost_ms)

    def _claim(self) -> RunClaim:
        claim = claim_rows.get(self.db, self.claim_id)
        if claim.farm != self.farm:
            raise UnknownClaim.of(self.claim_id)
        return claim

    def _answered(self) -> bytes | None:
        """The answer that the same message had; None if nothing ended the claim yet. Raises Conflict for another."""
        claim = self._claim()
        if not claim.body_sha256:
            return None
        if claim.body_sha256 != hashlib.sha256(self.body).hexdigest():
            raise Conflict(text("Something else was said of this run before: that stays."))
        return claim.answer

    def _running(self) -> tuple[RunClaim, Evaluation, ModelSubmission]:
        """The claim, while it is the farm's. Raises Gone, UnknownClaim."""
        claim = self._claim()
        if claim.state != "running" or claim.until_utc_ns <= self.now_utc_ns:
            raise Gone(text("The claim is over: the run was given to another, or is not needed any more."))
        evaluation = evaluation_rows.get(self.db, claim.evaluation_id)
        submission = submission_rows.get(self.db, evaluation.submission_id, for_change=True)
        if evaluation.state != "running" or (not evaluation.repeats and submission.state not in IN_WORK):
            raise Gone(text("The claim is over: the run was given to another, or is not needed any more."))
        return claim, evaluation, submission

    @staticmethod
    def _check_kind(evaluation: Evaluation, report: RunReport | PreparationReport) -> None:
        if (evaluation.run == PREPARATION) != isinstance(report, PreparationReport):
            raise Conflict(text("A run is reported as a result, a preparation as prepared: this is the other one."))
        if report.conditions_sha256 != evaluation.conditions_sha256:
            raise Conflict(
                text(
                    "The run was driven by other conditions ({theirs}) than it was given with.",
                    theirs=report.conditions_sha256[:12],
                )
            )

    def _edited(self, evaluation: Evaluation, submission: ModelSubmission) -> bool:
        """Whether the race has other conditions by now: then all of the submission is driven again."""
        race = race_rows.race(self.db, evaluation.race_id, for_change=True)
        if evaluation.repeats or wanted_conditions(self.db, race).sha256 == evaluation.conditions_sha256:
            return False
        begin_anew(self.db, submission, EDITED, self.now_utc_ns)
        return True

    def _check_limits(self, evaluation: Evaluation, report: RunReport) -> None:
        conditions = condition_rows.conditions(self.db, evaluation.conditions_sha256)
        assert conditions is not None, "they were stored before the run was given out"
        if len(report.laps) > conditions.laps:
            raise Refused(
                text(
                    "The run has {n} laps; its conditions end it after {max}.", n=len(report.laps), max=conditions.laps
                )
            )

    def _credit(self, node_id: str, done: Evaluation, cost_ms: int) -> None:
        """Count the run for its node, and have it repeated if it is one of those."""
        node = node_rows.get(self.db, node_id)
        assert node is not None, "a claim names a node that is stored"
        node = dataclasses.replace(node, seen_utc_ns=self.now_utc_ns, cost_ms=node.cost_ms + cost_ms)
        if not done.repeats and done.run != PREPARATION:
            node = dataclasses.replace(node, evaluations=node.evaluations + 1)
            if repeat_is_due(self.secret, node.node, node.evaluations, node.repeated_at) and self._others(node):
                node = dataclasses.replace(node, repeated_at=node.evaluations)
                evaluation_rows.add(self.db, [repetition_of(done, (node.node,), self.now_utc_ns)])
        node_rows.store(self.db, node)

    def _others(self, node: FarmNode) -> bool:
        return node_rows.others_of_class(self.db, node, self.now_utc_ns - NODE_IS_THERE_NS)

    def _judge(self, evaluation_id: str) -> None:
        """Compare all drives of one run; a node that drove it wrongly is set aside."""
        first = evaluation_rows.get(self.db, evaluation_id)
        if first.state != "done":
            return  # it does not count any more
        driven = [
            first,
            *(each for each in evaluation_rows.repetitions(self.db, evaluation_id) if each.state == "done"),
        ]
        traces = {each.node: each.trace_sha256 for each in driven}
        judgement = judge(traces)
        if judgement.kind == "ask":
            evaluation_rows.add(self.db, [repetition_of(first, tuple(traces), self.now_utc_ns)])
            return
        for node_id in traces:
            node = node_rows.get(self.db, node_id)
            assert node is not None, "an evaluation names a node that is stored"
            if node_id in judgement.wrong:
                self.changed.update(set_aside(self.db, node, self.now_utc_ns))
            elif node_id == first.node:
                proven = max(node.agreed_utc_ns, first.ended_utc_ns or 0)
                node_rows.store(self.db, dataclasses.replace(node, agreed_utc_ns=proven))

    def _settle(self, submission: ModelSubmission) -> None:
        """Go on with the submission: it is driven; with its last run it is scored."""
        if submission.state == "preparing":
            submission = submission_rows.move(self.db, submission, "evaluate", FARM, self.now_utc_ns)
        runs = evaluation_rows.of_round(self.db, submission.submission_id, submission.round)
        if all(each.state == "done" for each in runs):
            settle_runs(self.db, submission, runs, self.now_utc_ns)
            self.changed.add(submission.race_id)

    def _answer(self, claim: RunClaim, state: claim_rows.ClaimState, evaluation: Evaluation, cost_ms: int) -> bytes:
        submission = submission_rows.get(self.db, evaluation.submission_id)
        answer = encode(ClaimReply(submission.submission_id, submission.state, submission.sentence))
        ended = dataclasses.replace(
            claim,
            state=state,
            ended_utc_ns=self.now_utc_ns,
            cost_ms=cost_ms,
            body_sha256=hashlib.sha256(self.body).hexdigest(),
            answer=answer,
        )
        claim_rows.store(self.db, ended)
        return answer
