"""Attempts as words: how each stands, and what an official may do about it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from leaderboard.core.attempts import AttemptsLeft
from leaderboard.core.states import ATTEMPT_MOVES, AttemptState
from leaderboard.pages.views import racer_page, run_key
from leaderboard.pages.wording import minute_text
from leaderboard.scored_laps import utc_text
from leaderboard.store.attempt_rows import AttemptRow
from shared.text import Sentence, joined, ntext, recorded, text
from shared.units import format_ms

STATES: dict[AttemptState, Sentence] = {
    "ranked": text("Ranked"),
    "unqualified": text("Did not qualify"),
    "refused": text("Does not count"),
    "withdrawn": text("Withdrawn"),
    "disqualified": text("Disqualified"),
}


@dataclass(frozen=True, slots=True)
class AttemptView:
    """An attempt on the desk. `reason` is in the reader's language if it is one of ours, else as it was typed."""

    attempt_id: str
    name: str
    page: str
    score: str
    state: AttemptState
    state_text: Sentence
    reason: str
    at: str
    at_text: str
    what: str
    can_disqualify: bool
    can_restore: bool


@dataclass(frozen=True, slots=True)
class StateFilter:
    """A link that shows only the attempts in one state ("": all)."""

    state: str
    words: Sentence
    count: int


def attempt_view(row: AttemptRow) -> AttemptView:
    """An attempt as the desk shows it."""
    at = utc_text(row.finished_utc_ns)
    result = row.result
    laps = ntext("{n} lap", "{n} laps", n=len(result.laps))
    kind = (text("Virtual"),) if row.kind == "virtual" else ()
    return AttemptView(
        attempt_id=result.result_id,
        name=row.name,
        page=f"{racer_page(row.race_id, row.racer)}#{run_key(result)}",
        score="" if row.score_ms is None else format_ms(row.score_ms),
        state=row.state,
        state_text=STATES[row.state],
        reason=recorded(row.reason),
        at=at,
        at_text=minute_text(row.finished_utc_ns),
        what=joined((laps, *kind, *(each for each in (result.car, result.run_id) if each)), " · "),
        can_disqualify=(row.state, "disqualify") in ATTEMPT_MOVES,
        can_restore=(row.state, "restore") in ATTEMPT_MOVES,
    )


def filters(counts: Mapping[AttemptState, int]) -> list[StateFilter]:
    """The links above the list: all, and each state that an attempt is in."""
    states: tuple[AttemptState, ...] = get_args(AttemptState)
    each = [StateFilter(state, STATES[state], counts[state]) for state in states if counts.get(state)]
    return [StateFilter("", text("All"), sum(counts.values())), *each]


def left_text(left: AttemptsLeft) -> str:
    """How many attempts are left; "" where the race limits none."""
    parts = []
    if left.in_all is not None:
        parts.append(ntext("{n} attempt left in this race", "{n} attempts left in this race", n=left.in_all))
    if left.on_the_day is not None:
        parts.append(ntext("{n} left today", "{n} left today", n=left.on_the_day))
    return joined(parts, " · ") if parts else ""
