"""The live content of the event's page: the event in one line, and its races by state."""

from dataclasses import dataclass

from shared.rules.wording import rules_line
from shared.text import Sentence, ntext, text
from shared.units import format_ms
from station.core.event.records import RaceState
from station.views.event_view import EventView, RaceLine
from station.views.views import View
from station.web.page import PageContent
from station.web.pages.event.race_form import DIRECTION_WORDS


@dataclass(frozen=True, slots=True)
class RaceStateWords:
    """A race's state: its sign, what it is called, and its place on the page."""

    sign: str
    words: Sentence
    order: int


STATES: dict[RaceState, RaceStateWords] = {
    "running": RaceStateWords("▶", text("Running"), 0),
    "open": RaceStateWords("●", text("Open"), 1),
    "draft": RaceStateWords("○", text("Draft"), 2),
    "official": RaceStateWords("◆", text("Official"), 3),
    "closed": RaceStateWords("✕", text("Closed"), 4),
}


@dataclass(frozen=True, slots=True)
class RaceRow:
    """One race. `key`: the id of its element. `may_switch` and so on: which buttons it has."""

    key: str
    race_id: str
    name: str
    state: RaceState
    words: RaceStateWords
    active: bool
    rules: str
    facts: tuple[str, ...]
    leader: str
    leader_time: str
    may_switch: bool
    may_change: bool
    may_close: bool
    may_reopen: bool


@dataclass(frozen=True, slots=True)
class EventModel:
    """What the page shows. `facts`: of the event, in a few words each."""

    name: str
    facts: tuple[str, ...]
    any_event: bool
    races: list[RaceRow]
    earlier: list[RaceRow]


def event_model(view: View) -> EventModel:
    """The event's page for this view."""
    event = view.event.event
    facts: list[str] = []
    if event is not None:
        length_m = event.track_length_m
        length = text("{length:g} m", length=length_m) if length_m is not None else ""
        known = (event.track, length, DIRECTION_WORDS[event.direction], event.time_zone.replace("_", " "))
        facts = [each for each in known if each]
    return EventModel(
        name=event.name if event is not None else "",
        facts=tuple(facts),
        any_event=event is not None,
        races=_rows(view.event, view.event.races),
        earlier=_rows(view.event, view.event.earlier),
    )


def _rows(event: EventView, races: tuple[RaceLine, ...]) -> list[RaceRow]:
    busy = any(race.state == "running" for race in (*event.races, *event.earlier))
    rows = [race_row(race, busy) for race in races]
    return sorted(rows, key=lambda row: (not row.active, row.words.order))


def race_row(race: RaceLine, busy: bool) -> RaceRow:
    """One race; `busy`: a run is on in some race, so that none can be switched."""
    facts = [race.track, ntext("{n} run", "{n} runs", n=race.runs)]
    if race.direction != "counterclockwise":
        facts.append(DIRECTION_WORDS[race.direction])
    if race.cars_on_track > 1:
        facts.append(ntext("{n} car at a time", "{n} cars at a time", n=race.cars_on_track))
    if race.rules_version > 1:
        facts.append(text("rules, version {version}", version=race.rules_version))
    return RaceRow(
        key=f"race-{race.race_id}",
        race_id=race.race_id,
        name=race.name,
        state=race.state,
        words=STATES[race.state],
        active=race.active,
        rules=rules_line(race.rules),
        facts=tuple(each for each in facts if each),
        leader=race.leader,
        leader_time="" if race.leader_ms is None else format_ms(race.leader_ms),
        may_switch=not race.active and race.state in ("draft", "open", "official") and not busy,
        may_change=race.state not in ("running", "official"),
        may_close=race.state in ("draft", "open"),
        may_reopen=race.state == "closed",
    )


EVENT = PageContent(
    event_model, parts=("event_facts",), lists={"races": "race_row", "earlier": "race_row"}, macros="event_parts.html"
)
