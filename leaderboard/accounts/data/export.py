"""Everything that is stored of an account, as one ZIP of JSON files: "My data". No secret is in it, not even hashed."""

import io
import json
import zipfile
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from leaderboard.accounts import records
from leaderboard.core.access import Caller
from leaderboard.store.database import Store
from leaderboard.store.tables import (
    ACCOUNTS,
    ALIASES,
    API_KEYS,
    AUDIT,
    CREDENTIALS,
    ENTRIES,
    METADATA,
    MODELS,
    RECOVERY_CODES,
    RESULTS,
    ROLES,
    SESSIONS,
    SUBMISSIONS,
    UPLOADS,
)

_ACCOUNTS_OF_TURN = ("account_id", "rival_account_id")
_SECRET = frozenset({"secret", "token_sha256", "key_sha256", "code_sha256", "skeleton", "fold"})
_README = """\
All that this leaderboard stores of your account, as JSON, one file for each kind.
Times end with _utc_ns: nanoseconds since 1970. Secrets (passphrase, codes, keys, sessions) are not in here: the
leaderboard itself stores only hashes of them. results.json holds every result as the station posted it.
"""


class DataExport:
    """Reads out accounts, over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def archive(self, caller: Caller) -> bytes:
        """The ZIP of the caller's account."""
        with self._store.read() as db:
            records.account(db, caller.account_id)
            files = {name: list(rows) for name, rows in _files(db, caller.account_id)}
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("README.txt", _README)
            for name, rows in files.items():
                archive.writestr(f"{name}.json", json.dumps(rows, indent=1, ensure_ascii=False))
        return made.getvalue()


def _files(db: sa.Connection, account_id: str) -> Iterable[tuple[str, Iterable[dict[str, Any]]]]:
    for table in (
        ACCOUNTS,
        ALIASES,
        CREDENTIALS,
        RECOVERY_CODES,
        SESSIONS,
        ROLES,
        API_KEYS,
        ENTRIES,
        MODELS,
        UPLOADS,
        SUBMISSIONS,
    ):
        yield table.name, _rows(db, sa.select(table).where(table.c.account_id == account_id))
    queue = METADATA.tables.get("live_queue")
    if queue is not None:
        own = sa.or_(queue.c.account_id == account_id, queue.c.rival_account_id == account_id)
        shown = [column for column in queue.c if column.name not in _ACCOUNTS_OF_TURN]  # one is another's
        yield "live_queue", _rows(db, sa.select(*shown).where(own))
    mine = (ENTRIES.c.race_id == RESULTS.c.race_id) & (ENTRIES.c.racer == RESULTS.c.racer)
    results = sa.select(RESULTS).join(ENTRIES, mine).where(ENTRIES.c.account_id == account_id).order_by(RESULTS.c.seq)
    yield "results", _rows(db, results)
    about = (AUDIT.c.actor == account_id) | (AUDIT.c.subject == f"account:{account_id}")
    yield "audit", _rows(db, sa.select(AUDIT).where(about).order_by(AUDIT.c.seq))


def _rows(db: sa.Connection, query: sa.Select[Any]) -> Iterable[dict[str, Any]]:
    for row in db.execute(query).mappings():
        yield {name: _shown(name, value) for name, value in row.items() if name not in _SECRET}


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return json.loads(value)
    if name in ("before", "after", "scopes", "races") and isinstance(value, str):
        return json.loads(value)
    return value
