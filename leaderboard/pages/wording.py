"""Figures as the board says them; the words of a race stand in shared/rules/wording.py, for the station's pages too."""

from shared.rules.wording import plural, ranked_by, rules_in_words, score_name
from shared.units import format_ms

__all__ = ["gap", "plural", "ranked_by", "rules_in_words", "score_name"]


def gap(milliseconds: int, rank: int) -> str:
    """'+0.123'; a dash for the leader."""
    return "–" if rank == 1 else f"+{format_ms(milliseconds)}"
