"""Decides whether the leaderboard is ready for a race: whether it has it and ranks alike. Pure."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from pydantic import TypeAdapter, ValidationError

from shared.protocol.races import RaceOffer, differences
from shared.protocol.results import RACES_PATH, PostDeferred
from shared.rules.ranking import RaceRules
from shared.text import Sentence, text
from shared.web.http_exchange import Reply
from station.sync.refusal_wording import own_words
from station.sync.verdict import contract_sentence, has_contract_header, read_object, speaks_of

Readiness = Literal["ready", "missing", "differs", "unreachable", "unstated"]
# As older files have it.
_FORMER: dict[str, Readiness] = {"unknown": "missing", "away": "unreachable"}

_PATH_WORDS = own_words(RACES_PATH)
_RULES = TypeAdapter(RaceRules)


@dataclass(frozen=True, slots=True)
class Target:
    """What is known of a race at the leaderboard.

    `readiness`: "ready": the leaderboard has the race, with the same rules; "missing": it does not have it; "differs":
    it ranks by other rules; "unreachable": no answer, or something else answers; "unstated": it answers, but does not
    say. `detail`: a sentence of whoever answered, or why nobody did. `differences`: each rule that differs.
    `answered`: somebody answered, whoever it was.
    """

    race_id: str
    readiness: Readiness
    detail: str = ""
    differences: tuple[str, ...] = ()
    answered: bool = False

    @property
    def settled(self) -> bool:
        """Whether there is nothing to ask again: the race can be posted to, or the leaderboard will never say."""
        return self.readiness in ("ready", "unstated")

    @property
    def sentence(self) -> Sentence:
        """What officials are told."""
        race_id = repr(self.race_id)
        match self.readiness:
            case "ready":
                return text("The leaderboard is ready for the race {race_id}.", race_id=race_id)
            case "missing" if self.detail:
                return text(
                    "The leaderboard does not know the race {race_id} and did not create it ({detail}): its results "
                    "wait here.",
                    race_id=race_id,
                    detail=self.detail,
                )
            case "missing":
                return text(
                    "The leaderboard does not know the race {race_id}: create it there; until then its results wait "
                    "here.",
                    race_id=race_id,
                )
            case "differs":
                return text(
                    "The leaderboard ranks the race {race_id} by other rules ({differences}): give both the same "
                    "rules; results with another score are rejected.",
                    race_id=race_id,
                    differences="; ".join(self.differences),
                )
            case "unstated":
                return text("The leaderboard answers, but does not say whether it knows {race_id}.", race_id=race_id)
            case _:
                return text(
                    "The leaderboard cannot be asked about the race {race_id}: {detail}",
                    race_id=race_id,
                    detail=self.detail,
                )


def readiness_of(stored: str) -> Readiness:
    """A stored word, also one that an older sync wrote."""
    known = _FORMER.get(stored, stored)
    return known if known in get_args(Readiness) else "unreachable"  # type: ignore[return-value]


def target_from_reply(offer: RaceOffer, reply: Reply | PostDeferred, own: frozenset[str] = frozenset()) -> Target:
    """What the reply to a GET of the race means; a vendor need not implement that request.

    `own`: the words of the leaderboard's address.
    """
    race_id = offer.race_id
    if isinstance(reply, PostDeferred):
        return Target(race_id, "unreachable", reply.reason)
    if reply.status == 200:
        document = read_object(reply)
        if document is not None and document.get("race_id") == race_id:
            return _compared(offer, document)
    sentence = contract_sentence(reply)
    if (
        reply.status == 404
        and sentence is not None
        and (has_contract_header(reply) or speaks_of(race_id, 404, sentence, own | _PATH_WORDS))
    ):
        return Target(race_id, "missing", answered=True)
    if has_contract_header(reply):
        return Target(race_id, "unstated", answered=True)
    detail = text(
        "what answers at its address does not know that request ({status} for {path}).",
        status=reply.status,
        path=f"{RACES_PATH}/{race_id}",
    )
    return Target(race_id, "unreachable", detail, answered=True)


def target_after_offer(offer: RaceOffer, known: Target, reply: Reply | PostDeferred) -> Target:
    """What is known once the race was offered (PUT); before, `known` was. A vendor need not take offers."""
    if isinstance(reply, PostDeferred):
        return Target(offer.race_id, "unreachable", reply.reason)
    if reply.status in (200, 201):
        document = read_object(reply)
        taken = document is not None and document.get("race_id") == offer.race_id
        return _compared(offer, document) if taken and document is not None else known
    sentence = contract_sentence(reply) if has_contract_header(reply) else None
    if sentence is None or reply.status in (404, 405, 501):
        return known
    if reply.status == 401:
        return Target(offer.race_id, "unreachable", sentence, answered=True)
    return replace(known, detail=sentence) if known.readiness != "ready" else known


def _compared(offer: RaceOffer, document: dict[str, object]) -> Target:
    """The race as the leaderboard has it, beside ours; it may leave out rules and venue."""
    venue = document.get("venue", offer.kind)
    found: tuple[str, ...] = (
        (text("kind: {value} there, {kind} here", value=str(venue)[:20], kind=offer.kind),)
        if venue not in (offer.kind, "any")
        else ()
    )
    try:
        theirs = _RULES.validate_python(document["rules"]) if "rules" in document else offer.rules
    except ValidationError:
        theirs = offer.rules  # rules of a form that is not ours cannot be compared
    found += differences(theirs, offer.rules)
    return Target(offer.race_id, "differs" if found else "ready", differences=found, answered=True)
