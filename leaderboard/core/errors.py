"""The refusals of the leaderboard, by whom they concern; api/http.py gives each its status."""

from shared.errors import RacedayError, Refused, RetryLater
from shared.text import text

_KINDS = {
    "season": text("season"),
    "event": text("event"),
    "series": text("series"),
    "bracket": text("bracket"),
    "team": text("team"),
    "member": text("member"),
    "picture": text("picture"),
    "move": text("move"),
}


class Unauthorized(RacedayError):
    """A call without credentials that are valid, where it needs some."""


class WrongCredential(Unauthorized):
    """A passphrase, passkey or recovery code is not this account's."""

    refusal_kind = "pass code"


class InvalidKey(Unauthorized):
    """A key or token of a program that is not, or no longer, valid here."""

    refusal_kind = "key"


class NotHere(Refused):
    """There is nothing of this name or id, or nothing that the caller may know of."""


class Gone(Refused):
    """It was here and is over: a dead link, whose sentence says which kind."""


class UnknownInvitation(NotHere):
    """No link has this token."""


class UnknownRacer(NotHere):
    """There is no racer of this name in the race."""


class UnknownRace(NotHere):
    """This leaderboard has no race of this id, or none that the caller may know of: one sentence for both."""

    @classmethod
    def of(cls, race_id: str) -> "UnknownRace":
        """The refusal for this id."""
        return cls(text("There is no race {race_id} on this leaderboard.", race_id=repr(race_id[:80])))


class UnknownAttempt(NotHere):
    """There is no attempt of this id, or none that the caller may know of: one sentence for both."""

    @classmethod
    def of(cls, attempt_id: str) -> "UnknownAttempt":
        """The refusal for this id."""
        return cls(f"There is no attempt {attempt_id[:80]!r} on this leaderboard.")


class NotAllowed(Refused):
    """The sender is known, and may not do this here."""


class WrongClaimCode(NotAllowed):
    """Not the code by which the first account becomes admin."""

    refusal_kind = "code"


class Conflict(Refused):
    """Another race or entry has this id or name already."""


class UnknownSubscription(NotHere):
    """There is no receiver of notices of this id."""


class RateLimited(RetryLater):
    """This account or address has tried too often; `after_s` says when it may again."""


class UnknownItem(NotHere):
    """This leaderboard has no season, event, series or picture of this id, or none that the caller may know of."""

    @classmethod
    def of(cls, kind: str, item_id: str) -> "UnknownItem":
        """The refusal for this kind of thing and this id."""
        return cls(
            text(
                "There is no {kind} {item_id} on this leaderboard.",
                kind=_KINDS.get(kind, kind),
                item_id=repr(item_id[:80]),
            )
        )
