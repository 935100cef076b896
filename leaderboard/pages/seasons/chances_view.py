"""Who can still win or qualify, in words with a sign."""

from collections.abc import Mapping
from dataclasses import dataclass

from leaderboard.core.seasons.chances import Chance
from leaderboard.core.seasons.points import points_text
from leaderboard.seasons.results import SeasonResults
from shared.text import Sentence, text


@dataclass(frozen=True, slots=True)
class ChanceView:
    """What is still possible for one racer, in words with a sign."""

    name: str
    racer: str
    range: str
    sign: str
    words: Sentence
    qualifying: Sentence | str
    qualifying_sign: str


def chance_views(results: SeasonResults, chances: Mapping[str, Chance], limit: int) -> list[ChanceView]:
    """Of the first racers in the standing who can still win or qualify (or have)."""
    possible = [each for each in chances.values() if each.can_win or each.can_qualify]
    return [_chance(results, each) for each in possible[:limit]]


def _chance(results: SeasonResults, chance: Chance) -> ChanceView:
    if chance.has_won:
        sign, words = "✓", text("has won")
    elif chance.can_win:
        sign, words = "→", text("can still win")
    else:
        sign, words = "✕", text("can no longer win")
    qualifying: Sentence | str = ""
    qualifying_sign = ""
    if results.rules.qualify_places:
        qualifying_sign = "✓" if chance.has_qualified else "→"
        qualifying = text("has qualified") if chance.has_qualified else text("can still qualify")
    low, high = points_text(chance.min_points), points_text(chance.max_points)
    return ChanceView(
        results.name(chance.racer),
        results.spelled(chance.racer),
        low if low == high else f"{low} – {high}",
        sign,
        words,
        qualifying,
        qualifying_sign,
    )
