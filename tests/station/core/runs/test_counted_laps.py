"""A run's laps and their score are computed once, and again after everything that changes them."""

import random
from collections.abc import Callable

from shared.rules.ranking import RaceRules, score_run
from station.core.runs.book.lap_book import LapBook
from station.core.runs.laps import CountedCrossing, run_laps

S = 1_000_000_000
RULES = RaceRules(consecutive_laps=1, method="best_lap", off_track_penalty_s=3.0)
Change = Callable[[LapBook, random.Random], object]


def crossing(at_ns: int) -> CountedCrossing:
    return CountedCrossing(at_ns // S, at_ns, "boot", at_ns, 0, "gate")


def add(book: LapBook, chance: random.Random) -> None:
    last_ns = book.segments[-1].start.at_ns if book.segments else 0
    book.add(crossing(last_ns + chance.randrange(7, 12) * S))


def some_lap(book: LapBook, chance: random.Random) -> int:
    return chance.randrange(1, book.done + 1)


def drop(book: LapBook, chance: random.Random) -> None:
    if book.done > 2:
        book.drop(some_lap(book, chance))


CHANGES: tuple[Change, ...] = (
    add,
    add,
    drop,
    lambda book, chance: book.void(some_lap(book, chance), chance.choice(["", "a hand in the beam"])),
    lambda book, chance: book.penalise(some_lap(book, chance), 2 * S, "a cone"),
    lambda book, chance: book.count_incident(some_lap(book, chance), "off_track", 1),
    lambda book, chance: book.confirm(book.segments[some_lap(book, chance)]),
    lambda book, chance: book.insert(crossing(book.segments[0].start.at_ns + chance.randrange(1, 60) * S)),
    lambda book, chance: book.change_rules(RaceRules(consecutive_laps=chance.choice([1, 2]), method="best_lap")),
    lambda book, _: book.correct(lambda boot: boot == "boot", S),
)


def test_after_any_change_the_score_is_that_of_the_laps_as_they_are_now() -> None:
    chance = random.Random(4)
    scores = set()
    for _ in range(40):
        book = LapBook("run-1", RULES)
        add(book, chance), add(book, chance)
        for _ in range(25):
            chance.choice(CHANGES)(book, chance)
            if chance.random() < 0.5:
                book.score()  # some changes find it computed, others not
            fresh = book.copied()
            fresh._forget_laps()
            assert book.laps() == fresh.laps()
            assert list(book.ranked()) == run_laps(fresh.laps())
            assert book.score() == score_run(run_laps(fresh.laps()), book._rules)
            scores.add(book.score())
    assert len(scores) > 100
