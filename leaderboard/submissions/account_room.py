"""How many models and uploads an account may have here, and how large they may be together. Called by uploads.py."""

import sqlalchemy as sa

from leaderboard.config import SubmissionSettings
from leaderboard.core.submissions.archive import MB
from leaderboard.store.submissions import model_rows
from leaderboard.store.tables import ACCOUNTS
from shared.errors import Refused
from shared.text import ntext, text


def lock_account(db: sa.Connection, account_id: str) -> None:
    """Let other uploads of the account wait: its bounds are of all of them (PostgreSQL)."""
    db.execute(sa.select(ACCOUNTS.c.account_id).where(ACCOUNTS.c.account_id == account_id).with_for_update())


def check_account_room(db: sa.Connection, account_id: str, size_bytes: int, limits: SubmissionSettings) -> None:
    """Check that the account may upload one more archive of this size. Raises Refused."""
    use = model_rows.use_of(db, account_id)
    if use.uploads >= limits.account_uploads:
        raise Refused(
            ntext(
                "You have {n} unfinished upload: finish or cancel it first.",
                "You have {n} unfinished uploads: finish or cancel one first.",
                n=use.uploads,
            )
        )
    if use.models + use.uploads >= limits.account_models:
        raise Refused(
            ntext(
                "You have {n} model here: delete it first.",
                "You have {n} models here: delete one first.",
                n=use.models + use.uploads,
            )
        )
    if use.size_bytes + size_bytes > limits.account_mb * MB:
        raise Refused(
            text(
                "Your models have {used:.0f} MB, and with this one more than {max} MB: delete one first.",
                used=use.size_bytes / MB,
                max=limits.account_mb,
            )
        )
