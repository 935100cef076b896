"""Reads a filled-in form of a season's rules: the rules that somebody typed, or what is wrong, by field. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

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
from leaderboard.pages.titles.rules_form import METHODS, PRIZE_FOR, PRIZE_ONCE, SHARINGS, TEAM_METHODS, rows_in
from shared.errors import Refused
from shared.text import text


@dataclass(slots=True)
class TypedRules:
    """A filled-in form: the rules, or (None) what is wrong, by field and (`refusal`) as a whole."""

    values: Mapping[str, str]
    rules: SeasonRules | None = None
    errors: dict[str, str] = field(default_factory=dict)
    refusal: str = ""


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
