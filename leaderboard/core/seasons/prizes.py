"""Who gets which prize of a season: at most one of a kind, and a slot falls through to the next. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.core.seasons.rules import PrizeRule


@dataclass(frozen=True, slots=True)
class Ranking:
    """Racers in rank: of a race that is over, or of a season (`race_id` ""). `division`: "" for all."""

    race_id: str
    in_rank: tuple[str, ...]
    division: str = ""


@dataclass(frozen=True, slots=True)
class Award:
    """A prize and who gets it. `slot` counts from 1; `passed_over`: who was ahead and had one of this kind already."""

    kind: str
    race_id: str
    slot: int
    racer: str
    passed_over: tuple[str, ...] = ()


def awards(rules: Sequence[PrizeRule], races: Sequence[Ranking], seasons: Sequence[Ranking]) -> list[Award]:
    """All prizes: those of the races in the order of the season, then those of the season's standings.

    `seasons` is empty until the season is over. Rules of the same kind share the limit of one a racer.
    """
    given: list[Award] = []
    winners: dict[str, set[str]] = {}
    for per, rankings in (("race", races), ("season", seasons)):
        for ranking in rankings:
            for rule in rules:
                if rule.per == per and (per == "race" or rule.division == ranking.division) and _fits(rule, ranking):
                    new = _awards(rule, ranking, winners.setdefault(rule.kind, set()))
                    given.extend(new)
    return given


def _fits(rule: PrizeRule, ranking: Ranking) -> bool:
    return not rule.division or rule.division == ranking.division


def _awards(rule: PrizeRule, ranking: Ranking, winners: set[str]) -> list[Award]:
    given: list[Award] = []
    passed: list[str] = []
    for racer in ranking.in_rank:
        if len(given) == rule.places:
            break
        if rule.once and racer in winners:
            passed.append(racer)
            continue
        given.append(Award(rule.kind, ranking.race_id, len(given) + 1, racer, tuple(passed)))
        passed = []
        winners.add(racer)
    return given
