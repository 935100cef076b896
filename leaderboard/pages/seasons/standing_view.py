"""The standing of a season as the words and figures of its page; the template only places them."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from leaderboard.core.seasons.points import points_text
from leaderboard.core.seasons.standing import RaceOutcome, SeasonLine
from leaderboard.pages.seasons.race_columns import Column, race_columns, shown_columns
from leaderboard.pages.seasons.rule_sentences import rules_in_words
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

    race_id: str
    short: str
    name: str
    page: str
    note: str


@dataclass(frozen=True, slots=True)
class SeasonChoices:
    """The standings to choose from, each as (name of the field, its label, its values and words)."""

    fields: tuple[tuple[str, Sentence, tuple[tuple[str, str], ...], str], ...]


@dataclass(frozen=True, slots=True)
class SeasonColumn:
    """The head of a column: the sign of its races (race_columns.py), and their names."""

    short: str
    names: str


@dataclass(frozen=True, slots=True)
class SeasonView:
    """The page of a standing. `shared`: a column holds races of several divisions."""

    season_id: str
    name: str
    of_what: str
    counts: str
    rules: tuple[str, ...]
    races: tuple[SeasonRaceView, ...]
    columns: tuple[SeasonColumn, ...]
    shared: bool
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
    columns = race_columns(table.races, table.lines)
    number_of = {place: number for number, column in enumerate(columns, 1) for place in column}
    races = tuple(_race(number_of[place], race, mixed) for place, race in enumerate(table.races))
    lines = table.lines[start : start + ROWS]
    shown = shown_columns(columns, lines)
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
        columns=tuple(_column([races[place] for place in column]) for column in shown),
        shared=any(len(column) > 1 for column in shown),
        rows=tuple(_row(results, line, shown, races, teams.get(line.racer, "")) for line in lines),
        choices=_choices(results, choice),
        to_come=ntext("{n} race to come", "{n} races to come", n=table.to_come) if table.to_come else "",
        wide=len(shown) <= MAX_COLUMNS,
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
    return SeasonRaceView(race.race_id, f"R{number}", race.name, page, " · ".join(str(note) for note in notes if note))


def _column(races: Sequence[SeasonRaceView]) -> SeasonColumn:
    return SeasonColumn(races[0].short, " · ".join(race.name for race in races))


def _row(
    results: SeasonResults,
    line: SeasonLine,
    columns: Sequence[Column],
    races: Sequence[SeasonRaceView],
    team: str,
) -> SeasonRow:
    return SeasonRow(
        rank=line.rank,
        tied=line.tied,
        name=results.name(line.racer),
        racer=results.spelled(line.racer),
        points=points_text(line.points),
        division=results.division(line.racer),
        team=team,
        cells=tuple(_cell(line, column, races, results.spelled(line.racer)) for column in columns),
    )


def _cell(line: SeasonLine, column: Column, races: Sequence[SeasonRaceView], racer: str) -> SeasonCell:
    place = next((place for place in column if line.races[place] is not None), column[0])
    race, cell = races[place], line.races[place]
    if cell is None:
        return SeasonCell(race.short, race.name, "", 0, False, "")
    page = racer_page(race.race_id, racer)
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
