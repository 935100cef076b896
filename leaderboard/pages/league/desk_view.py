"""What the desk shows: each race with its state, what is next, and the moves that are possible. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.core.access import Caller
from leaderboard.core.league.records import EventRecord, SeasonRecord, SeriesRecord
from leaderboard.core.race import RaceRecord
from leaderboard.core.states import RaceState
from leaderboard.league.moves import Move, moves_for
from leaderboard.pages.league.words import MOVE_WORDS, STATES, MoveWords, how_it_stands, what_is_next, when
from leaderboard.store.race_rows import RaceHead
from shared.text import Sentence, joined, ntext, text

# What each state most often waits for; its button stands first and is filled.
_NEXT: dict[RaceState, Move] = {
    "draft": "publish",
    "open": "close",
    "closed": "results",
    "provisional": "final",
    "final": "unlock",
    "deleted": "restore",
}


@dataclass(frozen=True, slots=True)
class MoveButton:
    """A move that is possible now. `main`: what the race most likely waits for."""

    move: Move
    words: MoveWords
    main: bool


@dataclass(frozen=True, slots=True)
class DeskRace:
    """A race on the desk."""

    race_id: str
    name: str
    state: RaceState
    state_words: Sentence
    next_words: Sentence
    about: str
    private: bool
    editable: bool
    main: MoveButton | None
    others: tuple[MoveButton, ...]


@dataclass(frozen=True, slots=True)
class DeskSeries:
    """A series on the desk."""

    series_id: str
    name: str
    next_words: Sentence
    stopped: bool
    complete: bool
    edition: int


@dataclass(frozen=True, slots=True)
class DeskView:
    """The whole desk. `groups`: a heading and its races; `bin`: the deleted ones that can be restored."""

    groups: tuple[tuple[Sentence, tuple[DeskRace, ...]], ...]
    bin: tuple[DeskRace, ...]
    series: tuple[DeskSeries, ...]
    seasons: tuple[SeasonRecord, ...]
    events: tuple[EventRecord, ...]


_GROUPS: tuple[tuple[Sentence, tuple[RaceState, ...]], ...] = (
    (text("Waiting for you"), ("closed", "provisional", "draft")),
    (text("Open now"), ("open",)),
    (text("Coming"), ("published",)),
    (text("Final"), ("final",)),
)


def desk_view(
    caller: Caller,
    heads: Sequence[RaceHead],
    series: Sequence[SeriesRecord],
    seasons: Sequence[SeasonRecord],
    events: Sequence[EventRecord],
    now_utc_ns: int,
) -> DeskView:
    """The desk of this caller, of what he may edit."""
    races = [desk_race(caller, head.race, head.racers, head.results, now_utc_ns) for head in heads]
    grouped = ((words, tuple(race for race in races if race.state in states)) for words, states in _GROUPS)
    return DeskView(
        tuple((words, members) for words, members in grouped if members),
        tuple(race for race in races if race.state == "deleted" and race.main is not None),
        tuple(_series(each) for each in series),
        tuple(seasons),
        tuple(events),
    )


@dataclass(frozen=True, slots=True)
class CalendarLine:
    """A race in the calendar of an event or a season."""

    race_id: str
    name: str
    state: RaceState
    state_words: Sentence
    next_words: Sentence
    about: str


def calendar_line(head: RaceHead, now_utc_ns: int) -> CalendarLine:
    """The race as everybody sees it in a calendar."""
    race, state = head.race, head.race.state(now_utc_ns)
    about = _about(race, head.racers, head.results)
    return CalendarLine(race.race_id, race.name, state, STATES[state], how_it_stands(race, now_utc_ns), about)


def _about(race: RaceRecord, racers: int, results: int) -> str:
    counts = (ntext("{n} racer", "{n} racers", n=racers), ntext("{n} result", "{n} results", n=results))
    return joined(([race.track] if race.track else []) + list(counts), " · ")


def desk_race(caller: Caller, race: RaceRecord, racers: int, results: int, now_utc_ns: int) -> DeskRace:
    """A race as the desk shows it."""
    state = race.state(now_utc_ns)
    buttons = [
        MoveButton(move, MOVE_WORDS[move], _NEXT.get(state) == move) for move in moves_for(caller, race, now_utc_ns)
    ]
    return DeskRace(
        race.race_id,
        race.name,
        state,
        STATES[state],
        what_is_next(race, now_utc_ns),
        _about(race, racers, results),
        race.visibility == "private",
        state not in ("final", "deleted"),
        next((button for button in buttons if button.main), None),
        tuple(button for button in buttons if not button.main),
    )


def _series(series: SeriesRecord) -> DeskSeries:
    place = series.place
    if place.complete:
        next_words = text("All its races are made.")
    elif series.stopped:
        next_words = text("Stopped: it makes no more races.")
    else:
        next_words = text(
            "Race {n} opens {when}.", n=place.next_number, when=when(place.next_opens_utc_ns, place.rule.zone)
        )
    return DeskSeries(series.series_id, series.name, next_words, series.stopped, place.complete, series.edition)
