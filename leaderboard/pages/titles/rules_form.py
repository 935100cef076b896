"""The form of a season's rules: its fields, what they hold for given rules, and the rules that somebody typed. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from leaderboard.core.seasons.points import CLASSIC, MAX_POINTS, PointsMethod, PointsRule, Sharing, check_points
from leaderboard.core.seasons.rules import (
    MAX_RACES,
    DivisionRule,
    PrizeFor,
    PrizeRule,
    QualifyingRace,
    SeasonRules,
    TeamMethod,
    TeamRule,
    check_season_rules,
)
from shared.errors import Refused
from shared.text import Sentence, text

FieldKind = Literal["text", "number", "choice"]
METHODS = (
    ("list", text("By place, as listed")),
    ("field", text("By racers behind, plus one")),
    ("percentile", text("By share of the field")),
)
SHARINGS = (
    ("share", text("They share the points")),
    ("higher", text("All as the higher place")),
    ("earlier", text("The earlier score is ahead")),
)
TEAM_METHODS = (("sum", text("The sum of its best members")), ("mean", text("The mean of its best members")))
PRIZE_FOR = (("race", text("The first of every race")), ("season", text("The first of the season")))
PRIZE_ONCE = (("yes", text("At most one a racer")), ("no", text("Any number a racer")))
MAX_PRIZES = 30
_MAX_ROWS_OF_RACES = 40
_SPARE_PRIZES = 2


@dataclass(frozen=True, slots=True)
class RuleField:
    """A field of the form. `choices`: pairs of value and words."""

    name: str
    label: Sentence
    kind: FieldKind = "text"
    hint: Sentence | str = ""
    choices: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Fields that stand together under a heading."""

    heading: Sentence
    fields: tuple[RuleField, ...]


@dataclass(slots=True)
class TypedRules:
    """A filled-in form: the rules, or (None) what is wrong, by field and (`refusal`) as a whole."""

    values: Mapping[str, str]
    rules: SeasonRules | None = None
    errors: dict[str, str] = field(default_factory=dict)
    refusal: str = ""


def rule_groups(prizes: int, qualifying: int, races: Sequence[tuple[str, str]]) -> list[RuleGroup]:
    """All fields, with so many rows for prizes and qualifying races. `races`: id and name of the season's races."""
    return [
        _points_group(),
        RuleGroup(
            text("Which races count"),
            (
                RuleField("best_races", text("Only the best so many"), "number", text("Left empty: all.")),
                RuleField(
                    "drop_worst", text("Drop the worst"), "number", text("A race that was missed is among them.")
                ),
                RuleField("planned_races", text("Races in the whole season"), "number", text("0 if that is open.")),
                RuleField("qualify_places", text("So many of the standing qualify"), "number", text("0 for nobody.")),
            ),
        ),
        RuleGroup(
            text("Standings of their own"),
            (
                RuleField("regions", text("Regions"), hint=text("With commas between: Africa, Asia, Europe.")),
                RuleField("categories", text("Categories"), hint=text("With commas between: student, open.")),
            ),
        ),
        RuleGroup(
            text("Divisions"),
            (
                RuleField("divisions", text("Names"), hint=text("From the lowest to the highest: open, pro.")),
                RuleField("up_percent", text("Per cent that move up"), "number", text("After each race, rounded up.")),
                RuleField("down_percent", text("Per cent that move down"), "number", text("Rounded down.")),
            ),
        ),
        RuleGroup(
            text("Teams"),
            (
                RuleField("team_method", text("A team's points"), "choice", choices=TEAM_METHODS),
                RuleField("team_best", text("How many members count"), "number"),
            ),
        ),
        *[_prize_group(number) for number in range(1, prizes + 1)],
        *[_qualifying_group(number, races) for number in range(1, qualifying + 1)],
    ]


def _points_group() -> RuleGroup:
    return RuleGroup(
        text("Points of a race"),
        (
            RuleField("method", text("How"), "choice", choices=METHODS),
            RuleField(
                "listed", text("Points by place"), hint=text("From place 1 on, with commas between: 25, 18, 15.")
            ),
            RuleField("cap", text("The winner has at most"), "number", text("For a point for each racer behind.")),
            RuleField("top", text("The winner has"), "number", text("For points by the share of the field.")),
            RuleField("shared", text("Racers with equal scores"), "choice", choices=SHARINGS),
            RuleField("participation", text("For taking part"), "number"),
            RuleField("pole", text("For the best in qualifying"), "number"),
            RuleField("fastest_lap", text("For the fastest lap"), "number"),
        ),
    )


def _prize_group(number: int) -> RuleGroup:
    name = f"prize_{number}_"
    return RuleGroup(
        text("Prize {n}", n=number),
        (
            RuleField(name + "kind", text("What"), hint=text("Left empty: no prize.")),
            RuleField(name + "places", text("How many"), "number"),
            RuleField(name + "per", text("For whom"), "choice", choices=PRIZE_FOR),
            RuleField(name + "once", text("How often"), "choice", choices=PRIZE_ONCE),
            RuleField(name + "division", text("Only of this division"), hint=text("Left empty: of all.")),
        ),
    )


def _qualifying_group(number: int, races: Sequence[tuple[str, str]]) -> RuleGroup:
    choices = (("", text("None")), *races)
    name = f"qualifying_{number}_"
    return RuleGroup(
        text("Qualifying {n}", n=number),
        (
            RuleField(
                name + "race", text("Qualifying race"), "choice", text("It gives no points itself."), choices=choices
            ),
            RuleField(name + "for", text("Its first has the pole of"), "choice", choices=choices),
        ),
    )


def rows_in(values: Mapping[str, str]) -> tuple[int, int]:
    """How many rows of prizes and of qualifying races the filled-in form has."""
    return _rows(values, "prize_", "_kind", MAX_PRIZES), _rows(values, "qualifying_", "_race", _MAX_ROWS_OF_RACES)


def _rows(values: Mapping[str, str], before: str, after: str, highest: int) -> int:
    return max((number for number in range(1, highest + 1) if f"{before}{number}{after}" in values), default=0)


def values_of(rules: SeasonRules) -> dict[str, str]:
    """The form as it is filled in for these rules, with a few empty rows."""
    points = rules.points
    values = {
        "method": points.method,
        "listed": ", ".join(map(str, points.listed)),
        "shared": points.shared,
        "best_races": "" if rules.best_races is None else str(rules.best_races),
        "regions": ", ".join(rules.regions),
        "categories": ", ".join(rules.categories),
        "divisions": ", ".join(rules.divisions.names),
        "up_percent": str(rules.divisions.up_percent),
        "down_percent": str(rules.divisions.down_percent),
        "team_method": rules.teams.method,
        "team_best": str(rules.teams.best),
    }
    values |= {name: str(getattr(points, name)) for name in ("cap", "top", "participation", "pole", "fastest_lap")}
    values |= {name: str(getattr(rules, name)) for name in ("drop_worst", "planned_races", "qualify_places")}
    spare = (PrizeRule(""),) * _SPARE_PRIZES
    for number, prize in enumerate((*rules.prizes, *spare)[:MAX_PRIZES], 1):
        values |= {
            f"prize_{number}_kind": prize.kind,
            f"prize_{number}_places": str(prize.places),
            f"prize_{number}_per": prize.per,
            f"prize_{number}_once": "yes" if prize.once else "no",
            f"prize_{number}_division": prize.division,
        }
    for number, each in enumerate((*rules.qualifying, QualifyingRace("", ""))[:_MAX_ROWS_OF_RACES], 1):
        values |= {f"qualifying_{number}_race": each.race_id, f"qualifying_{number}_for": each.qualifies_for}
    return values


def read_rules(written: Mapping[str, str]) -> TypedRules:
    """The rules that somebody typed, or what is wrong with them."""
    reading = _RulesReading(written)
    points, divisions = _points(reading), _divisions(reading)
    teams = TeamRule(
        cast(TeamMethod, reading.choice("team_method", TEAM_METHODS)), reading.number("team_best", 1, 100, 3)
    )
    rules = SeasonRules(
        points=points,
        best_races=reading.number("best_races", 1, MAX_RACES, 0) or None,
        drop_worst=reading.number("drop_worst", 0, MAX_RACES, 0),
        regions=reading.names("regions", lambda names: SeasonRules(regions=names)),
        categories=reading.names("categories", lambda names: SeasonRules(categories=names)),
        qualify_places=reading.number("qualify_places", 0, 10_000, 0),
        planned_races=reading.number("planned_races", 0, MAX_RACES, 0),
        divisions=divisions,
        teams=teams,
        prizes=_prizes(reading, divisions),
        qualifying=_qualifying(reading),
    )
    typed = TypedRules(reading.shown, None, reading.errors)
    if not reading.errors:
        try:
            typed.rules = check_season_rules(rules)
        except Refused as refusal:
            typed.refusal = str(refusal)
    return typed


def _points(reading: "_RulesReading") -> PointsRule:
    listed = reading.amounts("listed")
    if "listed" not in reading.errors:
        reading.check("listed", lambda: check_points(PointsRule(listed=listed)))
    bonuses = {name: reading.number(name, 0, MAX_POINTS, 0) for name in ("participation", "pole", "fastest_lap")}
    return PointsRule(
        cast(PointsMethod, reading.choice("method", METHODS)),
        listed,
        reading.number("cap", 2, MAX_POINTS, 100),
        reading.number("top", 2, MAX_POINTS, 100),
        cast(Sharing, reading.choice("shared", SHARINGS)),
        **bonuses,
    )


def _divisions(reading: "_RulesReading") -> DivisionRule:
    names = reading.names("divisions", lambda names: SeasonRules(divisions=DivisionRule(names)))
    up, down = reading.number("up_percent", 0, 100, 0), reading.number("down_percent", 0, 100, 0)
    rule = DivisionRule(names, up, down)
    if not {"divisions", "up_percent", "down_percent"} & set(reading.errors):
        reading.check("down_percent", lambda: check_season_rules(SeasonRules(divisions=rule)))
    return rule


def _prizes(reading: "_RulesReading", divisions: DivisionRule) -> tuple[PrizeRule, ...]:
    prizes = []
    for number in range(1, rows_in(reading.written)[0] + 1):
        name = f"prize_{number}_"
        kind, places = reading.text(name + "kind"), reading.number(name + "places", 1, 1_000, 1)
        per, once = reading.choice(name + "per", PRIZE_FOR), reading.choice(name + "once", PRIZE_ONCE)
        division = reading.text(name + "division")
        if not kind:
            continue
        prize = PrizeRule(kind, places, cast(PrizeFor, per), once == "yes", division)
        where = name + ("division" if division and division not in divisions.names else "kind")
        if not any(error.startswith((name, "divisions", "up_", "down_")) for error in reading.errors):
            alone = SeasonRules(divisions=divisions, prizes=(prize,))
            reading.check(where, lambda alone=alone: check_season_rules(alone))  # type: ignore[misc]
        prizes.append(prize)
    return tuple(prizes)


def _qualifying(reading: "_RulesReading") -> tuple[QualifyingRace, ...]:
    rows = []
    for number in range(1, rows_in(reading.written)[1] + 1):
        race_id, qualifies_for = reading.text(f"qualifying_{number}_race"), reading.text(f"qualifying_{number}_for")
        if bool(race_id) != bool(qualifies_for):
            missing = f"qualifying_{number}_{'for' if race_id else 'race'}"
            reading.errors[missing] = text("Choose both races, or neither.")
        elif race_id:
            rows.append(QualifyingRace(race_id, qualifies_for))
            so_far = SeasonRules(qualifying=tuple(rows))
            reading.check(f"qualifying_{number}_for", lambda so_far=so_far: check_season_rules(so_far))  # type: ignore[misc]
    return tuple(rows)


class _RulesReading:
    """Reads field after field; what is wrong is kept by field."""

    def __init__(self, written: Mapping[str, str]) -> None:
        self.written = written
        self.shown: dict[str, str] = {}
        self.errors: dict[str, str] = {}

    def text(self, name: str) -> str:
        self.shown[name] = value = self.written.get(name, "").strip()
        return value

    def number(self, name: str, lowest: int, highest: int, empty: int) -> int:
        """A whole number; `empty`: what an empty field means."""
        written = self.text(name)
        if not written:
            return empty
        digits = written.isascii() and written.isdecimal() and len(written) <= 9
        if not digits or not lowest <= int(written) <= highest:
            self.errors[name] = text("Write a whole number from {lowest} to {highest}.", lowest=lowest, highest=highest)
            return empty
        return int(written)

    def choice(self, name: str, choices: Sequence[tuple[str, str]]) -> str:
        written = self.text(name)
        if written not in dict(choices):
            self.errors[name] = text("Choose one of the list.")
            return choices[0][0]
        return written

    def amounts(self, name: str) -> tuple[int, ...]:
        """Whole numbers with commas or blanks between; an empty field is the usual list."""
        parts = re.split(r"[\s,;]+", self.text(name).strip(",; "))
        if parts == [""]:
            return CLASSIC
        if not all(part.isascii() and part.isdecimal() and len(part) <= 9 for part in parts):
            self.errors[name] = text("Write whole numbers with commas between: 25, 18, 15.")
            return CLASSIC
        return tuple(map(int, parts))

    def names(self, name: str, rules: Callable[[tuple[str, ...]], SeasonRules]) -> tuple[str, ...]:
        """Names with commas between, that these rules may have."""
        names = tuple(part.strip() for part in self.text(name).split(",") if part.strip())
        self.check(name, lambda: check_season_rules(rules(names)))
        return names if name not in self.errors else ()

    def check(self, name: str, what: Callable[[], Any]) -> None:
        """Keep what `what` refuses under this field."""
        try:
            what()
        except Refused as refusal:
            self.errors.setdefault(name, str(refusal))
