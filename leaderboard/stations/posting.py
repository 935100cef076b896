"""What a posted result does: the checks on its body, its effect on the standing, and the reply to a repeat.

Called by posts.py, within the transaction that also stores the receipt.
"""

import dataclasses
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

import sqlalchemy as sa

from leaderboard.core import acceptance
from leaderboard.core.rank import LineKey
from leaderboard.core.redaction import redacted
from leaderboard.core.states import DRIVING
from leaderboard.rescoring import rescore_racer
from leaderboard.stations.sender import check_key
from leaderboard.store import race_rows, racer_rows, result_rows, season_rows
from leaderboard.store.ranking import line_rows
from shared.errors import Refused
from shared.protocol.results import PostAccepted, Result, decode_result, encode_accepted


class PostReply(NamedTuple):
    """The reply to a post: an HTTP status and the body, byte for byte."""

    status: int
    body: bytes


def error_body(error: Exception, status: int) -> bytes:
    """The body of every refusal: a problem document (RFC 9457), with our sentence as `detail` and as `error`."""
    sentence = str(error)
    problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
    return json.dumps(problem | {"error": sentence}, separators=(",", ":"), ensure_ascii=False).encode()


def repeated(receipt: result_rows.Receipt, digest: str) -> PostReply:
    """The reply to a webhook-id that was answered before: the same as then, or 409 if the body is another."""
    if receipt.body_sha256 == digest:
        return PostReply(200, receipt.answer)
    return PostReply(
        409,
        error_body(Refused("This webhook-id was used with another body: a correction needs a higher revision"), 409),
    )


def checked(webhook_id: str, payload: bytes) -> Result:
    """The posted result, checked as far as that goes without its race. Raises BadInput, Refused."""
    result = decode_result(payload)
    if result.webhook_id != webhook_id:
        raise Refused(f"The webhook-id is not the one of this result ({result.webhook_id[:80]!r}).")
    acceptance.check_result(result)
    return dataclasses.replace(result, racer=acceptance.racer_name(result.racer))


@dataclass(frozen=True, slots=True)
class Post:
    """A post whose body was checked as far as that goes without its race. `digest`: of the body."""

    webhook_id: str
    payload: bytes
    digest: str
    result: Result
    at_utc_ns: int


def settle(db: sa.Connection, post: Post) -> PostReply:
    """Apply a post and store its receipt, or repeat the reply that its id got before. Raises Refused."""
    if (receipt := result_rows.receipt(db, post.webhook_id)) is not None:
        return repeated(receipt, post.digest)
    body = encode_accepted(effect(db, post.result, post.payload, post.at_utc_ns))
    result_rows.add_receipt(db, post.webhook_id, post.digest, 201, body, post.at_utc_ns)
    return PostReply(201, body)


def effect(db: sa.Connection, result: Result, payload: bytes, now_utc_ns: int) -> PostAccepted:
    """Store a checked result and derive the lines that it changes. Raises Refused (UnknownRace too)."""
    race = race_rows.race(db, result.race_id, for_change=True)
    origin = result_rows.origin_of(db, result.result_id)
    if origin is not None and origin.race_id != race.race_id:
        raise Refused(f"This result belongs to race {origin.race_id!r}; a correction cannot move it.")
    if origin is not None and origin.kind != result.kind:
        raise Refused(f"This result was posted as {origin.kind}; a correction cannot change that.")
    if origin is not None:
        check_key(origin.key, result.evidence.public_key)
    if not result.evidence.clock_trusted:
        # When it was driven is unknown. It counts from its arrival, which is never earlier: it wins no tie by that.
        arrived_utc_ns = now_utc_ns if origin is None else min(now_utc_ns, origin.finished_utc_ns)
        result = dataclasses.replace(result, finished_utc_ns=arrived_utc_ns)
    if origin is not None and racer_rows.was_erased(db, race.race_id, origin.racer, result.racer):
        result, payload = dataclasses.replace(result, racer=origin.racer), redacted(payload, origin.racer)
    result = dataclasses.replace(result, racer=racer_rows.spelling(db, race.race_id, result.racer))
    if origin is None:
        season_rows.check_may_enter(db, race, result.racer)
    entered = race.entry == "open" or racer_rows.entry_state(db, race.race_id, result.racer) in DRIVING
    provisional = origin is not None and origin.provisional
    verdict = acceptance.accept(race, result, entered=entered, known=origin is not None, provisional=provisional)
    seq = result_rows.add_result(db, result, payload, verdict, now_utc_ns)
    racers = {result.racer} if origin is None else {origin.racer, result.racer}
    table = race.table_of(result.kind)
    changed = {key: rescore_racer(db, race, key) for key in (LineKey(table, racer) for racer in sorted(racers))}
    race_rows.bump(db, race.race_id, {key: old for key, (old, _) in changed.items()})
    _, line = changed[LineKey(table, result.racer)]
    rank, ranked = line_rows.rank_of(db, race.race_id, table, line)
    return PostAccepted(verdict.score_ms, rank, ranked, line is not None and line.seq == seq)
