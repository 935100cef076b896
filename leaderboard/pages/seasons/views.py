"""The standing of a season as the words and figures of its pages; the templates only place them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from leaderboard.core.seasons.chances import Chance
from leaderboard.core.seasons.points import PointsRule, points_text
from leaderboard.core.seasons.prizes import Award
from leaderboard.core.seasons.rules import SeasonRules
from leaderboard.core.seasons.standing import RaceOutcome, RacePoints, SeasonLine
from leaderboard.core.seasons.teams import TeamLine
from leaderboard.pages.views import racer_page
from leaderboard.seasons.results import SeasonResults
from leaderboard.seasons.standings import SeasonTable, StandingChoice
from shared.text import Sentence, joined, ntext, text

ROWS = 100
MAX_COLUMNS = 12  # of races in one row of a table; with more, they stand under the name


@dataclass(frozen=True, slots=True)
class SeasonCell:
    """A race in a racer's row. `points` "": no result. `short`: the race's sign in the head of the table."""

    short: str
    race: str
    points: str
    place: int
    dropped: bool
    page: str


@dataclass(frozen=True, slots=True)
class SeasonRow:
    """A racer's line."""

    rank: int
    tied: bool
    name: str
    racer: str
    points: str
    division: str
    team: str
    cells: tuple[SeasonCell, ...]


@dataclass(frozen=True, slots=True)
class SeasonRaceView:
    """A race of the season: its sign, its page, its state."""

    short: str
    name: str
    page: str
    note: str


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


@dataclass(frozen=True, slots=True)
class SeasonChoices:
    """The standings to choose from, each as (name of the field, its label, its values and words)."""

    fields: tuple[tuple[str, Sentence, tuple[tuple[str, str], ...], str], ...]


@dataclass(frozen=True, slots=True)
class SeasonView:
    """The page of a standing."""

    season_id: str
    name: str
    of_what: str
    counts: str
    rules: tuple[str, ...]
    races: tuple[SeasonRaceView, ...]
    rows: tuple[SeasonRow, ...]
    choices: SeasonChoices
    to_come: Sentence | str
    wide: bool
    page_after: str
    divisions: bool


def season_view(table: SeasonTable, start: int) -> SeasonView:
    """The standing from line `start` on."""
    results, choice = table.results, table.choice
    mixed = len({race.kind for race in table.every}) > 1
    races = tuple(_race(number, race, mixed) for number, race in enumerate(table.races, 1))
    lines = table.lines[start : start + ROWS]
    teams = {results.key(member.racer): results.team_name(member.team_id) for member in results.members}
    following = start + ROWS
    return SeasonView(
        season_id=results.season.season_id,
        name=results.season.name,
        of_what=_of_what(choice),
        counts=joined(
            (
                ntext("{n} racer", "{n} racers", n=len(table.lines)),
                ntext("{n} race so far", "{n} races so far", n=len(table.races)),
            ),
            " · ",
        ),
        rules=tuple(rules_in_words(results.rules)),
        races=races,
        rows=tuple(_row(results, line, races, table.races, teams.get(line.racer, "")) for line in lines),
        choices=_choices(results, choice),
        to_come=ntext("{n} race to come", "{n} races to come", n=table.to_come) if table.to_come else "",
        wide=len(races) <= MAX_COLUMNS,
        page_after=_address(results, choice, start=str(following)) if following < len(table.lines) else "",
        divisions=bool(results.rules.divisions.names),
    )


def _address(results: SeasonResults, choice: StandingChoice, **more: str) -> str:
    fields = {name: getattr(choice, name) for name in ("kind", "region", "category", "division")} | more
    query = urlencode({name: value for name, value in fields.items() if value})
    return f"/seasons/{quote(results.season.season_id, safe='')}" + (f"?{query}" if query else "")


def _of_what(choice: StandingChoice) -> str:
    kinds = {"physical": text("physical results"), "virtual": text("virtual results")}
    chosen = [choice.division, choice.region, choice.category, kinds.get(choice.kind, "")]
    return " · ".join(str(each) for each in chosen if each)


def _race(number: int, race: RaceOutcome, mixed: bool) -> SeasonRaceView:
    kinds = {"physical": text("physical"), "virtual": text("virtual")}
    notes = [race.division, kinds.get(race.kind, "") if mixed else "", "" if race.over else text("still open")]
    page = f"/races/{quote(race.race_id, safe='')}"
    return SeasonRaceView(f"R{number}", race.name, page, " · ".join(str(note) for note in notes if note))


def _row(
    results: SeasonResults,
    line: SeasonLine,
    races: Sequence[SeasonRaceView],
    outcomes: Sequence[RaceOutcome],
    team: str,
) -> SeasonRow:
    racer = results.spelled(line.racer)
    return SeasonRow(
        rank=line.rank,
        tied=line.tied,
        name=results.name(line.racer),
        racer=racer,
        points=points_text(line.points),
        division=results.division(line.racer),
        team=team,
        cells=tuple(
            _cell(race, cell, racer_page(outcome.race_id, racer))
            for race, outcome, cell in zip(races, outcomes, line.races, strict=True)
        ),
    )


def _cell(race: SeasonRaceView, cell: RacePoints | None, page: str) -> SeasonCell:
    if cell is None:
        return SeasonCell(race.short, race.name, "", 0, False, "")
    return SeasonCell(race.short, race.name, points_text(cell.points), cell.place, not cell.counted, page)


def _choices(results: SeasonResults, choice: StandingChoice) -> SeasonChoices:
    rules, kinds = results.rules, {each.kind for each in results.outcomes() if each.kind}
    every = (
        ("division", text("Division"), [(name, name) for name in rules.divisions.names], choice.division),
        ("region", text("Region"), [(name, name) for name in rules.regions], choice.region),
        ("category", text("Category"), [(name, name) for name in rules.categories], choice.category),
        (
            "kind",
            text("Results"),
            [("physical", text("physical")), ("virtual", text("virtual"))] if len(kinds) > 1 else [],
            choice.kind,
        ),
    )
    return SeasonChoices(
        tuple((name, label, (("", text("all")), *values), now) for name, label, values, now in every if values)
    )


def rules_in_words(rules: SeasonRules) -> list[str]:
    """How the standing comes about, a sentence each."""
    sentences: list[str] = [points_in_words(rules.points)]
    if rules.best_races is not None:
        best = rules.best_races
        sentences.append(ntext("Each racer's best race counts.", "Each racer's best {n} races count.", n=best))
    if rules.drop_worst:
        sentences.append(
            ntext(
                "Each racer's worst race is dropped.", "Each racer's worst {n} races are dropped.", n=rules.drop_worst
            )
        )
    sentences.append(
        text("Equal points: more wins, then more second places and so on, then the later best place; then it is a tie.")
    )
    sentences += _more_rules_in_words(rules)
    names = rules.divisions.names
    if names:
        sentences.append(
            text(
                "After each race of a division its top {percent} % move up ({names}).",
                percent=rules.divisions.up_percent,
                names=" → ".join(names),
            )
        )
        if rules.divisions.down_percent:
            down = rules.divisions.down_percent
            sentences.append(text("Its last {percent} % move down again.", percent=down))
    return sentences


def _more_rules_in_words(rules: SeasonRules) -> list[str]:
    sentences: list[str] = [_SHARED[rules.points.shared]]
    if rules.qualify_places:
        sentences.append(
            ntext(
                "The first of the standing qualifies for what follows.",
                "The first {n} of the standing qualify for what follows.",
                n=rules.qualify_places,
            )
        )
    for prize in rules.prizes:
        where = prize.division or text("all divisions") if rules.divisions.names else ""
        of = text("of every race") if prize.per == "race" else text("of the season")
        what = joined([of, where], ", ") if where else of
        sentences.append(
            text(
                "{kind}: for the first {places} {what}; at most one for a racer.",
                kind=prize.kind,
                places=prize.places,
                what=what,
            )
            if prize.once
            else text("{kind}: for the first {places} {what}.", kind=prize.kind, places=prize.places, what=what)
        )
    return sentences


_SHARED = {
    "share": text("Racers with equal scores share the points of the places that they take."),
    "higher": text("Racers with equal scores have the points of the higher place."),
    "earlier": text("Of racers with equal scores the one who set the score earlier is ahead."),
}


def points_in_words(rule: PointsRule) -> str:
    """What a place is worth, in one sentence."""
    if rule.method == "list":
        listed = ", ".join(str(each) for each in rule.listed[:12]) + (", …" if len(rule.listed) > 12 else "")
        main = text("Points by place: {listed}.", listed=listed)
    elif rule.method == "field":
        main = text("A point for each racer behind, and one more; at most {cap}.", cap=rule.cap)
    else:
        main = text("Points by percentile: {top} for the winner, then the share of the field not ahead.", top=rule.top)
    extras = [
        (rule.participation, text("taking part")),
        (rule.pole, text("the best in qualifying")),
        (rule.fastest_lap, text("the fastest lap")),
    ]
    more = [text("+{n} for {what}", n=points, what=what) for points, what in extras if points]
    return joined([main, *more], " ")


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


@dataclass(frozen=True, slots=True)
class TeamMemberView:
    name: str
    points: str
    counted: bool


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team in the standing, with its members."""

    rank: int
    tied: bool
    team_id: str
    name: str
    points: str
    members: tuple[TeamMemberView, ...]


def team_view(results: SeasonResults, line: TeamLine) -> TeamView:
    """The team's line in words and figures."""
    members = tuple(
        TeamMemberView(results.name(each.racer), points_text(each.points), each.counted) for each in line.members
    )
    name, points = results.team_name(line.team_id), points_text(line.points)
    return TeamView(line.rank, line.tied, line.team_id, name, points, members)


def team_rule_in_words(rules: SeasonRules) -> str:
    """How a team's points come about."""
    if rules.teams.method == "sum":
        return ntext(
            "A team has the points of its best member.",
            "A team has the points of its best {n} members together.",
            n=rules.teams.best,
        )
    return ntext(
        "A team has the points of its one best member.",
        "A team has the mean of its best {n} members; one that is missing counts 0.",
        n=rules.teams.best,
    )


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
