"""The rules of a season as one value, kept as JSON with the season; every check of them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from leaderboard.core.seasons.points import PointsRule, check_points
from shared.errors import Refused
from shared.text import text

MAX_RACES = 200
_MAX_NAMES = 50
_LONGEST_NAME = 60

TeamMethod = Literal["sum", "mean"]
PrizeFor = Literal["race", "season"]


@dataclass(frozen=True, slots=True)
class DivisionRule:
    """Divisions from the lowest to the highest, for example open and pro; none: the season has no divisions.

    After each race of a division its top `up_percent` (rounded up) moves to the next one, and with `down_percent` its
    last (rounded down) move back. A race says its division; one without is open to all.
    """

    names: tuple[str, ...] = ()
    up_percent: int = 10
    down_percent: int = 0


@dataclass(frozen=True, slots=True)
class TeamRule:
    """A team's points: the sum or the mean of its best `best` members; a member that is missing counts 0."""

    method: TeamMethod = "sum"
    best: int = 3


@dataclass(frozen=True, slots=True)
class PrizeRule:
    """Prizes of one kind for the first `places` of every race, or of the season's standing.

    `once`: nobody has two of this kind in a season: the slot falls through to the next in rank. `division`: only in
    this division's races (or standing); "" for all.
    """

    kind: str
    places: int = 1
    per: PrizeFor = "race"
    once: bool = True
    division: str = ""


@dataclass(frozen=True, slots=True)
class QualifyingRace:
    """The race whose first has the pole of another; it gives no points itself."""

    race_id: str
    qualifies_for: str


@dataclass(frozen=True, slots=True)
class SeasonRules:
    """How the races of a season become its standing.

    `best_races`: only each racer's best so many count, None for all; `drop_worst`: so many of the races held do not
    count (a race that a racer missed is among them); both: the stricter. `regions`, `categories`: names that a racer
    may have one of each; each is a standing of its own. `qualify_places`: how many of the standing qualify for what
    follows, 0 for nothing. `planned_races`: how many races each standing will have in the end, 0 if that is open: those
    that nobody has created yet count as races to come.
    """

    points: PointsRule = field(default_factory=PointsRule)
    best_races: int | None = None
    drop_worst: int = 0
    regions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    qualify_places: int = 0
    planned_races: int = 0
    divisions: DivisionRule = field(default_factory=DivisionRule)
    teams: TeamRule = field(default_factory=TeamRule)
    prizes: tuple[PrizeRule, ...] = ()
    qualifying: tuple[QualifyingRace, ...] = ()

    def counted(self, races: int) -> int:
        """How many of a racer's results count when so many races of the season are over."""
        kept = max(1, races - self.drop_worst)
        return kept if self.best_races is None else min(self.best_races, kept)


def check_season_rules(rules: SeasonRules) -> SeasonRules:
    """The rules, or Refused with the sentence that says what is wrong and what is allowed."""
    check_points(rules.points)
    if rules.best_races is not None:
        _within("`best_races`", rules.best_races, 1, MAX_RACES)
    _within("`drop_worst`", rules.drop_worst, 0, MAX_RACES)
    _within("`qualify_places`", rules.qualify_places, 0, 10_000)
    _within("`planned_races`", rules.planned_races, 0, MAX_RACES)
    for names in ("regions", "categories"):
        _check_names(names, getattr(rules, names))
    _check_names("divisions.names", rules.divisions.names)
    if len(rules.divisions.names) == 1:
        raise Refused(text("One division alone is none: name at least two, from the lowest to the highest."))
    _within("`divisions.up_percent`", rules.divisions.up_percent, 0, 100)
    _within("`divisions.down_percent`", rules.divisions.down_percent, 0, 100)
    if rules.divisions.up_percent + rules.divisions.down_percent > 100:
        raise Refused(text("The shares that move up and down are more than all: together at most 100 per cent."))
    if rules.teams.method not in ("sum", "mean"):
        raise Refused(
            text(
                "A team's points cannot be the {method} of its members: choose sum or mean.",
                method=repr(rules.teams.method),
            )
        )
    _within("`teams.best`", rules.teams.best, 1, 100)
    for prize in rules.prizes:
        _check_prize(prize, rules)
    _check_qualifying(rules.qualifying)
    return rules


def _within(what: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise Refused(
            text(
                "{what} is {value}; allowed is {lowest} to {highest}.",
                what=what,
                value=value,
                lowest=lowest,
                highest=highest,
            )
        )


def _check_names(what: str, names: tuple[str, ...]) -> None:
    if len(names) > _MAX_NAMES:
        raise Refused(
            text(
                "`{what}` has {count} names; at most {max} are allowed.",
                what=what,
                count=len(names),
                max=_MAX_NAMES,
            )
        )
    for name in names:
        if not name or len(name) > _LONGEST_NAME or name != name.strip() or not name.isprintable():
            raise Refused(
                text(
                    "`{what}` holds {name}: use 1 to {max} visible characters.",
                    what=what,
                    name=repr(name[:80]),
                    max=_LONGEST_NAME,
                )
            )
    if len({name.casefold() for name in names}) < len(names):
        raise Refused(text("`{what}` holds a name twice.", what=what))


def _check_prize(prize: PrizeRule, rules: SeasonRules) -> None:
    _check_names("prizes.kind", (prize.kind,))
    _within("`prizes.places`", prize.places, 1, 1_000)
    if prize.per not in ("race", "season"):
        raise Refused(
            text("A prize is for the first of each race or of the season, not of {per}.", per=repr(prize.per))
        )
    if prize.division and prize.division not in rules.divisions.names:
        raise Refused(
            text(
                "The prize {kind} is for the division {division}, which this season has not.",
                kind=repr(prize.kind),
                division=repr(prize.division),
            )
        )


def _check_qualifying(qualifying: tuple[QualifyingRace, ...]) -> None:
    sources = [each.race_id for each in qualifying]
    targets = [each.qualifies_for for each in qualifying]
    if len(set(sources)) < len(sources) or len(set(targets)) < len(targets) or set(sources) & set(targets):
        raise Refused(text("Each qualifying race qualifies for one other race, and each race has at most one."))


def season_rules_of(values: Mapping[str, Any]) -> SeasonRules:
    """The rules from the JSON values in which they are kept; what is not there has its default."""
    plain = {name: value for name, value in values.items() if name in ("best_races", *_NUMBERS)}
    return SeasonRules(
        **plain,
        points=_of(PointsRule, values.get("points", {})),
        regions=tuple(values.get("regions", ())),
        categories=tuple(values.get("categories", ())),
        divisions=_of(DivisionRule, values.get("divisions", {})),
        teams=_of(TeamRule, values.get("teams", {})),
        prizes=tuple(_of(PrizeRule, each) for each in values.get("prizes", ())),
        qualifying=tuple(_of(QualifyingRace, each) for each in values.get("qualifying", ())),
    )


_NUMBERS = ("drop_worst", "qualify_places", "planned_races")
_Rule = TypeVar("_Rule")


def _of(kind: type[_Rule], values: Mapping[str, Any]) -> _Rule:
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
