"""The states of races, entries and attempts, and the moves between them, as tables. Called by all services.

A race's `stage` is stored; of a published one the window says whether it is still to open, open, or closed.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from shared.errors import Refused

RaceStage = Literal["draft", "published", "provisional", "final", "deleted"]
RaceState = Literal["draft", "published", "open", "closed", "provisional", "final", "deleted"]
EntryState = Literal["invited", "entered", "withdrawn", "removed", "disqualified"]
AttemptState = Literal["ranked", "unqualified", "refused", "withdrawn", "disqualified"]

# (state, what is done) -> the state then. What is not here is refused.
RACE_MOVES: Mapping[tuple[RaceState, str], RaceState] = {
    ("draft", "publish"): "published",  # or open, as its window says
    ("draft", "delete"): "deleted",
    ("published", "delete"): "deleted",
    ("open", "delete"): "deleted",
    ("closed", "delete"): "deleted",
    ("provisional", "delete"): "deleted",
    ("published", "close"): "closed",
    ("open", "close"): "closed",
    ("closed", "reopen"): "open",
    ("closed", "results"): "provisional",
    ("provisional", "reopen"): "open",
    ("provisional", "final"): "final",
    ("closed", "final"): "final",
    ("final", "unlock"): "provisional",  # by an official, with a reason
    ("deleted", "restore"): "draft",  # to the stage that it had
}
ENTRY_MOVES: Mapping[tuple[EntryState, str], EntryState] = {
    ("invited", "enter"): "entered",
    ("withdrawn", "enter"): "entered",
    ("entered", "withdraw"): "withdrawn",
    ("invited", "remove"): "removed",
    ("entered", "remove"): "removed",
    ("withdrawn", "remove"): "removed",
    ("entered", "disqualify"): "disqualified",
    ("withdrawn", "disqualify"): "disqualified",
    ("removed", "restore"): "entered",  # or what it was before
    ("disqualified", "restore"): "entered",
}
# An entry whose results are kept and not shown, until it is restored.
HIDDEN: frozenset[EntryState] = frozenset({"removed", "disqualified"})
# An entry whose racer may drive in a race for registered racers; what a removed one drives is kept, and not shown.
DRIVING: frozenset[EntryState] = frozenset({"entered", *HIDDEN})
ATTEMPT_MOVES: Mapping[tuple[AttemptState, str], AttemptState] = {
    ("ranked", "disqualify"): "disqualified",
    ("unqualified", "disqualify"): "disqualified",
    ("disqualified", "restore"): "ranked",  # or unqualified, as its laps say
    ("ranked", "withdraw"): "withdrawn",
    ("unqualified", "withdraw"): "withdrawn",
}
RACE_STATES: tuple[RaceState, ...] = get_args(RaceState)


def race_after(state: RaceState, move: str) -> RaceState:
    """The state after the move. Raises Refused with the sentence that says why it is not possible."""
    if (state, move) not in RACE_MOVES:
        raise Refused(f"The race is {state}: {_NOT[move]}.")
    return RACE_MOVES[state, move]


def entry_after(state: EntryState, move: str) -> EntryState:
    """The entry's state after the move. Raises Refused."""
    if (state, move) not in ENTRY_MOVES:
        raise Refused(f"The entry is {state}: it cannot be {_PAST[move]} now.")
    return ENTRY_MOVES[state, move]


def attempt_after(state: AttemptState, move: str) -> AttemptState:
    """The attempt's state after the move. Raises Refused."""
    if (state, move) not in ATTEMPT_MOVES:
        raise Refused(f"The attempt is {state}: it cannot be {_PAST[move]} now.")
    return ATTEMPT_MOVES[state, move]


_NOT = {
    "publish": "only a draft is published",
    "delete": "a final race stays; an official unlocks it first",
    "close": "only a race that is to open or open is closed",
    "reopen": "only a closed race without final results is opened again",
    "results": "results are published once the race is closed",
    "final": "only the results of a closed race become final",
    "unlock": "only final results are unlocked",
    "restore": "only a deleted race is restored",
}
_PAST = {
    "enter": "entered",
    "withdraw": "withdrawn",
    "remove": "removed",
    "disqualify": "disqualified",
    "restore": "restored",
}
