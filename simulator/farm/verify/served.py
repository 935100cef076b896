"""A result as a leaderboard serves it, and what can be checked of it without driving: its seeds and its trace."""

import hashlib
import json
from dataclasses import dataclass

from shared.errors import OperatorError, RetryLater
from shared.protocol.driven_results import MAX_RESULT_BYTES, DrivenResult, result_from
from shared.text import text
from shared.traces.encoding import MAX_PACKED_BYTES, decode, trace_sha256
from shared.web.keyed_calls import AGAIN, KeyedCalls

OTHERWISE = 1  # exit code


class Differs(OperatorError):
    """What the leaderboard says of a result does not hold."""

    exit_code = OTHERWISE


@dataclass(frozen=True, slots=True)
class ServedResult:
    """The result of a submission as a leaderboard has it, for an account's key. `name`: the submission's id."""

    calls: KeyedCalls
    name: str

    def document(self, what: str, limit: int) -> bytes:
        """A file of the submission. Raises OperatorError with the leaderboard's sentence, RetryLater."""
        return self._get(f"/submissions/{self.name}{what}", limit)

    def result(self) -> DrivenResult:
        """The result. Raises OperatorError, also while its race is open; BadInput for that of another engine."""
        return result_from(self.document("/result", MAX_RESULT_BYTES), self.name)

    def check_seeds(self, result: DrivenResult) -> None:
        """Check that it was driven by the seeds to which the race was committed. Raises Differs."""
        try:
            race_id = json.loads(self.document("", MAX_RESULT_BYTES))["submission"]["race_id"]
            published = json.loads(self._get(f"/races/{race_id}/seeds", MAX_RESULT_BYTES))
            shown = json.loads(self._get(f"/races/{race_id}/conditions", MAX_RESULT_BYTES))
            digest = hashlib.sha256(published["canonical"].encode()).hexdigest()
            committed = json.loads(published["canonical"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise OperatorError(text("What answers there is no leaderboard.")) from None
        if digest != shown["seeds_commitment"] or committed["race_id"] != race_id:
            raise Differs(text("The race's seeds are not those that it was committed to."))
        seeds = [run.seed for run in result.runs]
        if seeds not in (committed["race"][: len(seeds)], committed["final"][: len(seeds)]):
            raise Differs(text("The runs were not driven by the seeds of the race."))

    def check_trace(self, result: DrivenResult) -> None:
        """Check that the trace that is kept of it is one of its runs'. Raises Differs, BadInput for no trace."""
        kept = trace_sha256(decode(self.document("/trace", MAX_PACKED_BYTES)))
        if kept not in {run.trace_sha256 for run in result.runs}:
            raise Differs(text("The trace that the leaderboard keeps is of none of the runs of the result."))

    def _get(self, path: str, limit: int) -> bytes:
        answer = self.calls.send("GET", f"/api/v1{path}", None, limit + 1)
        if answer.status in AGAIN:
            raise RetryLater(answer.sentence)
        if answer.status >= 300:
            raise OperatorError(answer.sentence)
        if len(answer.body) > limit:
            raise OperatorError(text("What answers there is no leaderboard."))
        return answer.body
