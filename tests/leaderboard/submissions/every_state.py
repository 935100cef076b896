"""A virtual race with submissions of one racer in every state, for tests of how pages look."""

from typing import Any

import sqlalchemy as sa

from leaderboard.core.submissions.states import SubmissionMove
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.store import race_rows
from leaderboard.store.database import Store
from leaderboard.store.submissions import model_rows, submission_rows
from leaderboard.store.submissions.model_rows import ModelRecord, StoredArchive, UploadRecord
from leaderboard.store.tables import ENTRIES
from tests.leaderboard.sample_races import race

_PATHS: tuple[tuple[SubmissionMove, ...], ...] = (
    (),
    ("arrive",),
    ("arrive", "prepare"),
    ("arrive", "prepare", "evaluate"),
    ("arrive", "prepare", "evaluate", "score"),
    ("arrive", "prepare", "evaluate", "unqualify"),
    ("arrive", "prepare", "reject"),
    ("arrive", "prepare", "release", "prepare", "evaluate", "fail"),
    ("cancel",),
    ("arrive", "prepare", "evaluate", "score", "disqualify"),
)
_SENTENCES = {
    "reject": "The archive holds no model: it must have one .pb (or .onnx); unpack its " + "W" * 40 + " first.",
    "disqualify": "It is disqualified: " + "Donaudampfschiff" * 6,
    "unqualify": "2 of 3 laps in a row",
}


def submitted(
    store: Store, race_id: str, account_id: str, now_utc_ns: int, name: str = "W" * 40, **fields: Any
) -> None:
    """The race, with the account's entry, a model, and a submission in each state."""
    racer, sha256 = account_id.removeprefix("account-"), "ab" * 32
    with store.write() as db:
        race_rows.add_race(
            db, race(race_id, name=name, **({"track": "reinvent_base"} | fields | {"venue": "virtual"})), now_utc_ns
        )
        entry = {"race_id": race_id, "racer": racer, "name": racer, "entered_utc_ns": 1, "account_id": account_id}
        db.execute(sa.insert(ENTRIES), entry)
        model_rows.keep_archive(db, StoredArchive(sha256, 24_600_000, "", 0, now_utc_ns))
        model_rows.add_model(db, ModelRecord(account_id, sha256, name, 24_600_000, now_utc_ns))
        upload = UploadRecord("ef" * 12, account_id, "cd" * 32, 300_000_000, name, 123_456_789, now_utc_ns, now_utc_ns)
        model_rows.add_upload(db, upload)
        for number, path in enumerate(_PATHS):
            at_utc_ns = now_utc_ns - (20 - number) * 10**11
            one = ModelSubmission(
                f"{number:016x}", race_id, account_id, racer, sha256, name, "agent/best_checkpoint-" + "7" * 12,
                "uploading", "The archive is being uploaded.", at_utc_ns, at_utc_ns,
            )  # fmt: skip
            one = submission_rows.add(db, one, account_id)
            for step, what in enumerate(path, 1):
                who = account_id if what in ("arrive", "cancel") else "admin" if what == "disqualify" else "farm:hall"
                one = submission_rows.move(db, one, what, who, at_utc_ns + step * 10**9, _SENTENCES.get(what, ""))
