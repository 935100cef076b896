"""Two processes of one leaderboard take models and submissions at the same moment. Called by store/test_postgres.py."""

import functools
import pathlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa

from leaderboard.attempts.service import AttemptService
from leaderboard.board import LeaderboardService
from leaderboard.config import SubmissionSettings
from leaderboard.core.access import Caller
from leaderboard.store.submissions import submission_rows
from leaderboard.store.submissions.model_rows import ModelRecord, UploadRecord
from leaderboard.store.tables import ENTRIES
from leaderboard.submissions.service import NewSubmission
from leaderboard.submissions.services import SubmissionServices
from leaderboard.submissions.uploads import NewUpload
from shared.errors import RacedayError
from tests.leaderboard.sample_races import race
from tests.leaderboard.signed_in import account
from tests.leaderboard.submissions.racers import archive, sha256

_NOW = 1_800_000_000_000_000_000


def check_two_processes(boards: tuple[LeaderboardService, LeaderboardService], folder: pathlib.Path) -> None:
    settings = SubmissionSettings(folder=str(folder))
    both = [
        SubmissionServices.over(each.store, AttemptService(each.store, each.changed), settings, lambda: _NOW)
        for each in boards
    ]
    boards[0].create_race(race("at-once", venue="virtual", track="reinvent_base", in_work_per_racer=2), 1)
    racers = [Caller(account(boards[0].store, alias), alias) for alias in ("pia", "rob")]
    with boards[0].store.write() as db:
        for each in racers:
            entry = {"race_id": "at-once", "racer": each.alias, "name": each.alias, "entered_utc_ns": 1}
            db.execute(sa.insert(ENTRIES), entry | {"account_id": each.account_id})
    model = _upload_at_once(both, racers, folder)
    pia = racers[0]
    submitted = _at_once(
        [
            functools.partial(both[n % 2].submissions.submit, pia, "at-once", NewSubmission(model), _NOW)
            for n in range(6)
        ]
    )
    made = [one.submission_id for one, is_new in (each for each in submitted if isinstance(each, tuple)) if is_new]
    assert (len(made), sum("in work" in str(each) for each in submitted)) == (2, 4)
    cancelled = _at_once([functools.partial(both[n].rulings.cancel, pia, made[0], "", _NOW) for n in (0, 1)])
    assert sum(isinstance(each, RacedayError) for each in cancelled) == 1
    with boards[1].store.read() as db:
        assert [step.state for step in submission_rows.history(db, made[0])] == ["queued", "cancelled"]


def _upload_at_once(both: list[SubmissionServices], racers: list[Caller], folder: pathlib.Path) -> str:
    """Both racers send the same bytes, each through both processes; the hash."""
    content = archive(30)
    wanted = NewUpload(sha256(content), len(content), "Same")

    def begin(n: int) -> ModelRecord | UploadRecord:
        return both[n % 2].uploads.begin(racers[n // 2], wanted, _NOW)

    begun = _at_once([functools.partial(begin, n) for n in range(4)])
    ids = [each.upload_id for each in begun]
    assert (ids[0], ids[2]) == (ids[1], ids[3])

    def send(n: int) -> ModelRecord | None:
        with both[n].uploads.receive(racers[n], ids[2 * n], 0) as chunk:
            chunk.write(content)
            return chunk.finish(_NOW).model

    models = _at_once([functools.partial(send, n) for n in (0, 1)])
    assert [model.account_id for model in models] == [each.account_id for each in racers]
    assert [path.read_bytes() for path in (folder / "archives").glob("*/*")] == [content]
    assert list((folder / "parts").iterdir()) == []
    return sha256(content)


def _at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """What each call returned, or refused."""

    def result_of(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except RacedayError as refusal:
            return refusal

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(result_of, calls))
