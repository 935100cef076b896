"""What the log of `raceday sync` says of an answer to a post, in one sentence."""

from shared.protocol.results import PostAccepted, PostDeferred, PostRejected
from shared.text import text
from shared.units import NS_PER_S
from station.sync.schedule import NotPosted, OutboxRow, PostedWithOtherScore, SyncAnswer, score_mismatch


def answer_sentence(row: OutboxRow, answer: SyncAnswer, wait_ns: int) -> str:
    """What became of the row; `wait_ns`: until it is posted again, where it is."""
    match answer:
        case PostedWithOtherScore():
            return text("{webhook_id}: posted; {why}", webhook_id=row.webhook_id, why=score_mismatch(answer))
        case PostAccepted(_, None, 0):
            return text("{webhook_id}: delivered.", webhook_id=row.webhook_id)
        case PostAccepted(score_ms, rank, racers):
            return text(
                "{webhook_id}: posted; rank {rank} of {racers} with {score_ms} ms.",
                webhook_id=row.webhook_id,
                rank=rank,
                racers=racers,
                score_ms=score_ms,
            )
        case PostRejected(reason, status):
            return text(
                "{webhook_id}: rejected ({status}): {reason}", webhook_id=row.webhook_id, status=status, reason=reason
            )
        case NotPosted(reason):
            return text("{webhook_id}: stays at the station: {reason}", webhook_id=row.webhook_id, reason=reason)
        case PostDeferred(reason):
            return text(
                "{webhook_id}: {reason} Again in {seconds:.1f} s.",
                webhook_id=row.webhook_id,
                reason=reason,
                seconds=wait_ns / NS_PER_S,
            )
