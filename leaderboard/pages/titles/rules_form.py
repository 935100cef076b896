"""The form of a season's rules: its fields, and what they hold for given rules. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from leaderboard.core.seasons.rules import PrizeRule, QualifyingRace, SeasonRules
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
