"""The live content of the page for everybody at the track: the run, the standings, the queue. Pure."""

import hashlib
from dataclasses import dataclass, replace
from urllib.parse import quote

from shared.rules.person_names import name_key
from shared.rules.ranking import RaceRules
from shared.rules.wording import score_name
from shared.text import Sentence, ntext, text
from shared.text.dates import time_of_day
from station.views.provisional import provisional
from station.views.views import View
from station.web.page import PageContent
from station.web.presenters.laps import LapLine, PlaceLine, place_lines
from station.web.presenters.page import CarPanel, PageModel, RunPanel, page_model
from station.web.presenters.tiles import Tile
from station.web.presenters.time_zones import event_zone


@dataclass(frozen=True, slots=True)
class SpectatorRow:
    """A place, keyed by its racer, so that the row stays the same element when the place changes."""

    key: str
    line: PlaceLine
    link: str
    runs: Sentence


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A racer who waits. `at`: the predicted start; `minutes`: until then, at the view's time."""

    key: str
    place: int
    racer: str
    at: str
    minutes: Sentence
    late: Sentence
    called: bool


@dataclass(frozen=True, slots=True)
class SpectatorModel:
    """The whole page. `provisional`: what the run would be worth now, "" without one."""

    run: RunPanel | None
    together: tuple[CarPanel, ...]
    tiles: tuple[Tile, ...]
    laps: tuple[LapLine, ...]
    window_words: str
    places: tuple[SpectatorRow, ...]
    waiting: tuple[WaitingRow, ...]
    provisional: Sentence
    score_name: str
    race_id: str
    pending_decisions: tuple[object, ...] = ()


def spectator_model(view: View) -> SpectatorModel:
    """The page that shows this view."""
    screen: PageModel = page_model(view)
    rules = view.race.rules if view.race is not None else RaceRules()
    race_id = view.race.race_id if view.race is not None else ""
    worth = text("")
    if view.run is not None and view.run.phase == "running" and len(view.runs) < 2:
        worth = provisional(view, view.run).words
    return SpectatorModel(
        run=screen.run,
        together=screen.together,
        tiles=screen.tiles,
        laps=screen.laps,
        window_words=screen.window_words,
        places=tuple(_row(line, race_id, view) for line in place_lines(view)),
        waiting=_waiting(view),
        provisional=worth,
        score_name=score_name(rules),
        race_id=race_id,
    )


def racer_link(race_id: str, racer: str) -> str:
    """The address of a racer's page in a race."""
    return f"/results/{race_id}/racers/{quote(racer, safe='')}"


def racer_key(racer: str) -> str:
    """What is the same for all spellings of a racer, as an element's id."""
    return f"racer-{hashlib.sha256(name_key(racer).encode()).hexdigest()[:12]}"


def _row(line: PlaceLine, race_id: str, view: View) -> SpectatorRow:
    standing = view.standing[line.rank - 1]
    key = racer_key(line.racer)
    runs = ntext("{n} run", "{n} runs", n=standing.runs)
    return SpectatorRow(key, replace(line, key=key), racer_link(race_id, line.racer), runs)


def _waiting(view: View) -> tuple[WaitingRow, ...]:
    zone = event_zone(view)
    rows = []
    for line in view.queue.lines:
        minutes = max(0, line.start_utc_ns - view.clock.utc_ns) // 60_000_000_000
        rows.append(
            WaitingRow(
                key=f"waits-{racer_key(line.racer)}",
                place=line.place,
                racer=line.racer,
                at=time_of_day(line.start_utc_ns, zone, seconds=False),
                minutes=text("now") if line.called else ntext("in {n} minute", "in {n} minutes", n=minutes),
                late=ntext("{n} minute late", "{n} minutes late", n=line.late_min) if line.late_min > 0 else text(""),
                called=line.called,
            )
        )
    return tuple(rows)


LIVE = PageContent(
    spectator_model,
    ("now", "run_detail", "tiles", "window", "worth"),
    {"together": "car", "laps": "lap", "places": "place", "waiting": "queue_row"},
    macros="spectator.html",
)
