"""The refusals of the leaderboard, by whom they concern; api/http.py gives each its status."""

from shared.errors import Refused


class UnknownRacer(Refused):
    """There is no racer of this name in the race."""


class UnknownRace(Refused):
    """This leaderboard has no race of this id."""


class NotAllowed(Refused):
    """The sender is known, and may not do this here."""


class Conflict(Refused):
    """Another race or entry has this id or name already."""
