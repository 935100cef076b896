"""Takes in posted results: each takes effect once and has one reply, whatever is repeated.

One transaction holds the receipt (webhook-id, hash of the body, answer), the result and its effect, so a repeat, a
crash or two posts at once leave exactly one effect and one reply.
"""

import hashlib
from collections.abc import Callable

import sqlalchemy as sa

from leaderboard.core.errors import UnknownRace
from leaderboard.stations.posting import Post, PostReply, checked, error_body, repeated, settle
from leaderboard.stations.sender import Sender
from leaderboard.store import result_rows
from leaderboard.store.database import Store
from leaderboard.store.group_commit import GroupCommit
from shared.errors import BadInput, Refused


class Posts:
    """The posts of one store, from any thread. `changed(race_id)` is called after each commit that has an effect."""

    def __init__(self, store: Store, changed: Callable[[str], None]) -> None:
        self._store, self._changed = store, changed
        self._commits = GroupCommit(store)

    def apply(self, webhook_id: str, payload: bytes, now_utc_ns: int, sender: Sender) -> PostReply:
        """Apply a posted result: status 201 applied, 200 applied before, 404, 409 or 422 refused.

        `webhook_id` is the idempotency key, `payload` the raw body. Raises RetryLater, StorageError.
        """
        digest = hashlib.sha256(payload).hexdigest()
        try:
            # Before the transaction: what nobody may post keeps nobody waiting.
            result = checked(webhook_id, payload)
            sender.check(result.evidence.station)
            post = Post(webhook_id, payload, digest, result, now_utc_ns)
            reply = self._settled(post)
        except (Refused, BadInput) as refusal:
            # The same id may have been applied before, with another body or by another process.
            receipt = self._receipt(webhook_id)
            status = 404 if isinstance(refusal, UnknownRace) else 422
            return PostReply(status, error_body(refusal, status)) if receipt is None else repeated(receipt, digest)
        if reply.status == 201:
            self._changed(result.race_id)
        return reply

    def _settled(self, post: Post) -> PostReply:
        def work(db: sa.Connection) -> PostReply:
            return settle(db, post)

        try:
            return self._commits.run(work, order=post.result.race_id)
        except sa.exc.IntegrityError:
            # Another process took the same id between our query and our insert (PostgreSQL): now it can be seen.
            return self._commits.run(work, order=post.result.race_id)

    def _receipt(self, webhook_id: str) -> result_rows.Receipt | None:
        with self._store.read() as db:
            return result_rows.receipt(db, webhook_id)
