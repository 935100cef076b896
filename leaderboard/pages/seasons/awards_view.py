"""The prizes of a season and its races as their page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.core.seasons.prizes import Award
from leaderboard.seasons.results import SeasonResults
from shared.text import Sentence, text


@dataclass(frozen=True, slots=True)
class AwardView:
    """A prize of a race or the season. `passed`: who was ahead and has one of this kind already."""

    kind: str
    slot: int
    name: str
    passed: Sentence | str


def awards_by_race(results: SeasonResults, awards: Sequence[Award]) -> list[tuple[str, list[AwardView]]]:
    """The prizes under the name of their race, those of the season last."""
    names = {each.race.race_id: each.race.name for each in results.races}
    groups: dict[str, list[AwardView]] = {}
    for award in awards:
        ahead = ", ".join(results.name(each) for each in award.passed_over)
        passed = text("falls through: {names} had one already", names=ahead) if ahead else ""
        view = AwardView(award.kind, award.slot, results.name(award.racer), passed)
        groups.setdefault(award.race_id, []).append(view)
    return [(names.get(race_id) or text("The season"), views) for race_id, views in groups.items()]
