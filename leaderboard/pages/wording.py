"""Figures as the board shows them; shared/rules/wording.py has the words, which the station's pages share."""

from shared.rules.wording import ranked_by, rules_in_words, score_name
from shared.units import format_ms

__all__ = ["gap", "ranked_by", "rules_in_words", "score_name"]


def gap(milliseconds: int, rank: int) -> str:
    """A distance to another score, as '+0.123'; a dash for the leader."""
    return "–" if rank == 1 else f"+{format_ms(milliseconds)}"
