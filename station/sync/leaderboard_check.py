"""Decides whether the leaderboard is ready for the race that is on, before its first result is posted. Pure."""

from dataclasses import dataclass
from typing import Literal

from shared.protocol.results import RACES_PATH, PostDeferred
from shared.text import text
from station.sync.http_exchange import Reply
from station.sync.refusal_wording import own_words
from station.sync.verdict import contract_sentence, has_contract_header, read_object, speaks_of

Readiness = Literal["ready", "unknown", "away", "unstated"]

_PATH_WORDS = own_words(RACES_PATH)


@dataclass(frozen=True, slots=True)
class Target:
    """What is known of a race at the leaderboard, also as a sentence for the officials.

    `readiness`: "ready": the leaderboard has the race; "unknown": it does not; "away": it cannot be
    reached, or something else answers; "unstated": it answers, but does not say.
    """

    race_id: str
    readiness: Readiness
    sentence: str


def target_from_reply(race_id: str, reply: Reply | PostDeferred, own: frozenset[str] = frozenset()) -> Target:
    """What the reply to a GET of the race means; a vendor need not implement that request.

    `own`: the words of the leaderboard's address.
    """
    if isinstance(reply, PostDeferred):
        return Target(race_id, "away", reply.reason)
    if reply.status == 200:
        document = read_object(reply)
        if document is not None and document.get("race_id") == race_id:
            return Target(race_id, "ready", text("The leaderboard is ready for the race {race_id!r}.", race_id=race_id))
    sentence = contract_sentence(reply)
    if (
        reply.status == 404
        and sentence is not None
        and (has_contract_header(reply) or speaks_of(race_id, 404, sentence, own | _PATH_WORDS))
    ):
        return Target(
            race_id,
            "unknown",
            text(
                "The leaderboard does not know the race {race_id!r}: create it there, or correct [race] "
                "`id`; until then its results are rejected.",
                race_id=race_id,
            ),
        )
    if has_contract_header(reply):
        return Target(
            race_id,
            "unstated",
            text("The leaderboard answers, but does not say whether it knows {race_id!r}.", race_id=race_id),
        )
    return Target(
        race_id,
        "away",
        text(
            "What answers at the leaderboard's address does not say whether it knows the race "
            "{race_id!r} ({status} for {races_path}/{race_id}).",
            race_id=race_id,
            status=reply.status,
            races_path=RACES_PATH,
        ),
    )
