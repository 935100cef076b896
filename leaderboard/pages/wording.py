"""Figures as the board shows them; shared/rules/wording.py has the words, which the station's pages share."""

from leaderboard.scored_laps import utc_text
from shared.rules.wording import ranked_by, rules_in_words, score_name
from shared.units import format_ms

__all__ = ["gap", "minute_text", "ranked_by", "rules_in_words", "score_name"]


def gap(milliseconds: int, rank: int) -> str:
    """A distance to another score, as '+0.123'; a dash for the leader."""
    return "–" if rank == 1 else f"+{format_ms(milliseconds)}"


def minute_text(at_utc_ns: int) -> str:
    """A moment to the minute, as people read it: '2026-03-05 14:03 UTC'."""
    at = utc_text(at_utc_ns)
    return f"{at[:10]} {at[11:16]} UTC"


def second_text(at_utc_ns: int) -> str:
    """A moment to the second: '2026-03-05 14:03:07 UTC'."""
    at = utc_text(at_utc_ns)
    return f"{at[:10]} {at[11:19]} UTC"
