"""Videos of runs: a racer asks, a farm with nothing else to do makes it, and it is kept for some days.

Safe to call from any thread. Whoever sees a submission may ask for the video of its run.
"""

import base64
import secrets

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import Gone, NotHere
from leaderboard.core.evaluations.videos import CLAIM_NS, VIDEO_WORDS, RunVideo, asked_again, came_to_nothing, given
from leaderboard.evaluations.claims import check_farm
from leaderboard.store import result_rows
from leaderboard.store.database import Store
from leaderboard.store.evaluations import condition_rows, evaluation_rows, trace_rows, video_rows
from leaderboard.submissions.service import SubmissionService
from shared.protocol.videos import VideoWork, check_video
from shared.text import text
from shared.units import NS_PER_S

KEPT_NS = 7 * 86_400 * NS_PER_S
_LOOKED_AT = 100  # of those that wait: a key may be bound to some races


class RunVideos:
    """The videos of one store."""

    def __init__(self, store: Store, submissions: SubmissionService) -> None:
        self._store, self._submissions = store, submissions

    def found(self, caller: Caller, submission_id: str, now_utc_ns: int) -> RunVideo | None:
        """How the video of the submission's run stands; None if nobody asked for it. Raises UnknownSubmission."""
        with self._store.read() as db:
            run = self._run(db, caller, submission_id, now_utc_ns)
            return None if run is None else video_rows.get(db, run.trace_sha256)

    def ask(self, caller: Caller, submission_id: str, now_utc_ns: int) -> RunVideo:
        """Have it made, if it is not yet; how it stands. Raises UnknownSubmission, NotHere for no run."""
        with self._store.write() as db:
            run = self._run(db, caller, submission_id, now_utc_ns)
            if run is None or trace_rows.file(db, run.trace_sha256) is None:
                raise NotHere(text("There is no trace of this submission: it was not driven to its end yet."))
            video_rows.drop(db, now_utc_ns - KEPT_NS)
            video_rows.add(
                db,
                RunVideo(run.trace_sha256, run.race_id, run.seed, run.conditions_sha256, "waiting", now_utc_ns),
            )
            stored = video_rows.get(db, run.trace_sha256)
            assert stored is not None, "it was stored a moment ago"
            again = asked_again(stored, now_utc_ns)
            return stored if again == stored else video_rows.store(db, again)

    def file(self, video: RunVideo) -> bytes:
        """The file of one that is done. Raises NotHere."""
        with self._store.read() as db:
            stored = video_rows.file(db, video.trace_sha256)
        if stored is None:
            raise NotHere(VIDEO_WORDS["failed" if video.state == "failed" else "running"])
        return stored

    def claim(self, caller: Caller, now_utc_ns: int) -> VideoWork | None:
        """The next video for this farm to make; None if none waits. Raises Unauthorized, NotAllowed."""
        farm = check_farm(caller)
        with self._store.read() as db:
            if not video_rows.waiting(db, 1) and not video_rows.expired(db, now_utc_ns):
                return None
        with self._store.write() as db:
            for late in video_rows.expired(db, now_utc_ns):
                video_rows.store(db, came_to_nothing(late, text("The farm was not heard of any more."), now_utc_ns))
            for video in video_rows.waiting(db, _LOOKED_AT):
                trace = trace_rows.file(db, video.trace_sha256)
                conditions = condition_rows.conditions(db, video.conditions_sha256)
                if trace is None or conditions is None or not access.key_may(caller, "farm", video.race_id):
                    continue
                claimed = video_rows.store(db, given(video, secrets.token_hex(12), farm, now_utc_ns))
                packed = base64.b64encode(trace).decode()
                return VideoWork(claimed.claim_id, packed, video.seed, conditions, CLAIM_NS / NS_PER_S)
        return None

    def bring(self, caller: Caller, claim_id: str, file: bytes, now_utc_ns: int) -> None:
        """The farm has made it. Raises Gone for a claim that is over, BadInput for no video."""
        check_video(file)
        with self._store.write() as db:
            video = _claimed(db, check_farm(caller), claim_id)
            done = RunVideo(video.trace_sha256, video.race_id, video.seed, video.conditions_sha256, "done", now_utc_ns)
            video_rows.store(db, done, file)

    def fail(self, caller: Caller, claim_id: str, reason: str, now_utc_ns: int) -> None:
        """The farm could not make it. Raises Gone for a claim that is over."""
        with self._store.write() as db:
            video_rows.store(db, came_to_nothing(_claimed(db, check_farm(caller), claim_id), reason, now_utc_ns))

    def _run(
        self, db: sa.Connection, caller: Caller, submission_id: str, now_utc_ns: int
    ) -> evaluation_rows.Evaluation | None:
        """The run that is the submission's result."""
        submission = self._submissions.submission(caller, submission_id, now_utc_ns).submission
        results = [
            result
            for _, result in result_rows.runs_of(db, submission.race_id, submission.racer)
            if result.result_id == submission.result_id
        ]
        if not results:
            return None
        hashes = {result.evidence.journal_head for result in results}
        runs = evaluation_rows.of_round(db, submission_id, submission.round)
        return next((run for run in runs if run.trace_sha256 in hashes), None)


def _claimed(db: sa.Connection, farm: str, claim_id: str) -> RunVideo:
    video = video_rows.of_claim(db, claim_id)
    if video is None or video.farm != farm:
        raise Gone(text("The claim is over: the video was given to another, or is there."))
    return video
