"""The columns of a season's table: races of several divisions share one, and none is empty."""

from leaderboard.core.seasons.standing import RaceOutcome, RacePoints, SeasonLine
from leaderboard.pages.seasons.race_columns import race_columns, shown_columns

DRIVEN = RacePoints(1, 25, counted=True)
MONTHS = tuple(RaceOutcome(f"{month}-{name}", "", True, division=name) for month in (1, 2) for name in ("open", "pro"))
FINAL = RaceOutcome("final", "", over=True)


def line(*places: int) -> SeasonLine:
    """A racer with a result in the races at these places."""
    return SeasonLine(1, "anna", 25, tuple(DRIVEN if place in places else None for place in range(5)))


def test_the_races_of_a_month_share_a_column_and_one_for_all_has_its_own() -> None:
    # The second racer moved up after the first month.
    lines = (line(0, 2, 4), line(0, 3), line(1, 3))
    assert race_columns((*MONTHS, FINAL), lines) == ((0, 1), (2, 3), (4,))
    # Whoever drove in both divisions in a month shows both.
    assert race_columns((*MONTHS, FINAL), (*lines, line(2, 3))) == ((0, 1), (2,), (3,), (4,))


def test_races_whose_results_are_of_two_kinds_are_not_mixed() -> None:
    kinds = [
        RaceOutcome("a", "", True, kind=kind, division=name)
        for name in ("open", "pro")
        for kind in ("physical", "virtual")
    ]
    assert race_columns(kinds, ()) == ((0, 2), (1, 3))


def test_a_column_without_a_result_is_not_shown() -> None:
    columns = race_columns((*MONTHS, FINAL), ())
    assert shown_columns(columns, (line(1), line(4))) == ((0, 1), (4,))
    assert shown_columns(columns, (line(),)) == columns
