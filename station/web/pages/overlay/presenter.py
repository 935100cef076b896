"""The overlay for a video stream: lower third, tower, clock and winner card, each a part of its own. Pure.

It shows timing only: no alarms, no addresses, and nothing that an official may still change without its mark.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from shared.errors import BadInput
from shared.rules.ranking import RaceRules
from shared.rules.wording import score_name
from shared.text import Sentence, text
from shared.units import NS_PER_MS, format_ms
from station.views.provisional import Provisional, ordinal, provisional
from station.views.race_views import RunView, StandingLine
from station.views.views import View
from station.web.page import PageContent
from station.web.presenters.laps import lap_lines
from station.web.presenters.page import phase_words, running_text
from station.web.presenters.sectors import SectorCell, sector_bar

OverlayPart = Literal["all", "lower", "tower", "clock", "winner"]
PARTS: tuple[OverlayPart, ...] = get_args(OverlayPart)
TOWER_ROWS = 4
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Chip:
    """A lap as a chip: its time, and the sign and tone that say how it counts."""

    text: str
    sign: str = ""
    tone: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class LowerThird:
    """The racer on the track. `started_ms` lets the browser run the clock on; `gap`: of the run's score to the lead.

    `gap_label`: which place that would be. `needs`: the lap time that would take the lead, "" if none; `needs_label`:
    how many of them it takes. `sectors`: of the lap in progress.
    """

    racer: str
    phase: str
    lap: str
    clock: str
    started_ms: float | None
    ends_ms: float | None
    last: Chip
    gap: str
    gap_tone: str
    gap_label: Sentence
    needs: str
    needs_label: Sentence
    sectors: tuple[SectorCell, ...]
    left: str


@dataclass(frozen=True, slots=True)
class TowerRow:
    """A place near the racer on the track. `value`: the score of the first row, the gap of the others."""

    key: str
    rank: int
    racer: str
    value: str
    on_track: bool


@dataclass(frozen=True, slots=True)
class WinnerCard:
    """Who leads the race, or has won it once its results are final."""

    title: str
    racer: str
    score: str
    ahead: str


@dataclass(frozen=True, slots=True)
class OverlayModel:
    """The whole overlay. A part that is None or empty has nothing to show now.

    `worth`: what the run on the track would be worth now, under the tower.
    """

    title: str
    lower: LowerThird | None
    tower: tuple[TowerRow, ...]
    winner: WinnerCard | None
    worth: Sentence


def overlay_part(wanted: str) -> OverlayPart:
    """The part that an address asks for. Raises BadInput with those that there are."""
    for part in PARTS:
        if wanted == part:
            return part
    raise BadInput(
        text("There is no part {wanted!r}: choose one of {parts}.", wanted=wanted[:40], parts=", ".join(PARTS))
    )


def overlay_background(wanted: str) -> str:
    """The background that an address asks for: "transparent", or "#" and six hexadecimal digits. Raises BadInput."""
    if wanted == "transparent" or _COLOUR.fullmatch(wanted):
        return wanted.lower()
    raise BadInput(
        text("{wanted!r} is no background: write transparent, or a colour such as %2300ff00.", wanted=wanted[:40])
    )


def overlay_model(view: View) -> OverlayModel:
    """The overlay that shows this view."""
    rules = view.race.rules if view.race is not None else RaceRules()
    title = "" if view.race is None else text("{race} · {what}", race=view.race.name, what=score_name(rules))
    run = view.run
    lower = _lower(view, run, rules) if run is not None and run.phase != "idle" else None
    worth = provisional(view, run).words if run is not None and run.phase == "running" else text("")
    return OverlayModel(title, lower, _tower(view), _winner(view), worth)


def _lower(view: View, run: RunView, rules: RaceRules) -> LowerThird:
    running = run.phase == "running" and run.lap_started_ns is not None
    started_ns = run.lap_started_ns if running else None
    clock = running_text(view.clock.now_ns - started_ns) if started_ns is not None else _result(run)
    limit = text("Lap {lap} of {laps}", lap=run.lap_number, laps=rules.max_laps) if rules.max_laps is not None else ""
    gap, tone = _gap(run, view.standing)
    worth = provisional(view, run)
    paused = view.procedure.paused is not None
    return LowerThird(
        racer=run.racer,
        phase=phase_words(run, view.cars),
        lap=limit or text("Lap {lap}", lap=run.lap_number),
        clock=clock,
        started_ms=started_ns / NS_PER_MS if started_ns is not None else None,
        ends_ms=run.ends_ns / NS_PER_MS if running and run.ends_ns is not None and not paused else None,
        last=_last(view, run, rules),
        gap=gap,
        gap_tone=tone,
        gap_label=_gap_label(run, worth),
        needs=format_ms(worth.needs_ms) if worth.needs_ms is not None else "",
        needs_label=text("{laps} laps to lead", laps=worth.needs_laps) if worth.needs_laps > 1 else text("To lead"),
        sectors=sector_bar(run.sectors),
        left=_left(view, run),
    )


def _result(run: RunView) -> str:
    """What stands in place of the lap clock when no lap is on."""
    if run.phase != "finished" or not run.counts:
        return NOTHING
    return format_ms(run.score_ms) if run.score_ms is not None else NOTHING


def _last(view: View, run: RunView, rules: RaceRules) -> Chip:
    newest = next(iter(lap_lines(run, rules, view.race)), None)
    return Chip(NOTHING) if newest is None else Chip(newest.time, newest.sign, newest.tone, newest.status)


def _gap(run: RunView, standing: Sequence[StandingLine]) -> tuple[str, str]:
    """The run's score so far against the leader of all others: ahead is negative."""
    others = [line.score_ms for line in standing if line.racer != run.racer]
    if run.score_ms is None or not run.counts:
        return NOTHING, ""
    if not others:
        return text("leads"), "purple"
    difference = run.score_ms - min(others)
    return (f"+{format_ms(difference)}", "") if difference > 0 else (f"−{format_ms(-difference)}", "purple")


def _gap_label(run: RunView, worth: Provisional) -> Sentence:
    """What the gap belongs to: the place that the run would have if it ended now."""
    if run.phase != "running" or worth.place is None:
        return text("Gap to leader")
    return text("Would be {place}", place=ordinal(worth.place))


def _left(view: View, run: RunView) -> str:
    stopped = view.procedure.of(run.run_id)
    left_ns = stopped.left_ns if stopped is not None else None
    if left_ns is None and (run.phase != "running" or run.ends_ns is None):
        return ""
    if left_ns is None and run.ends_ns is not None:
        left_ns = run.ends_ns - view.clock.now_ns
    seconds = max(0, left_ns or 0) // 1_000_000_000
    return f"{seconds // 60}:{seconds % 60:02d}"


def _tower(view: View) -> tuple[TowerRow, ...]:
    """Four places: the leader, and those around the racer on the track."""
    lines, run = view.standing, view.run
    racing = {each.racer for each in view.runs} | ({run.racer} if run is not None and run.phase == "running" else set())
    newest = run.racer if run is not None else ""
    place = next((number for number, line in enumerate(lines) if line.racer == newest), 0)
    first = max(1, min(place - 1, len(lines) - TOWER_ROWS + 1))
    shown = [*lines[:1], *lines[first : first + TOWER_ROWS - 1]]
    return tuple(
        TowerRow(
            key=f"tower-{line.rank}",
            rank=line.rank,
            racer=line.racer,
            value=format_ms(line.score_ms) if line is lines[0] else f"+{format_ms(line.gap_ms)}",
            on_track=line.racer in racing,
        )
        for line in shown
    )


def _winner(view: View) -> WinnerCard | None:
    if not view.standing:
        return None
    leader, second = view.standing[0], view.standing[1] if len(view.standing) > 1 else None
    ahead = text("{gap} ahead of {racer}", gap=format_ms(second.gap_ms), racer=second.racer) if second else ""
    race = view.event.active
    title = text("Winner") if race is not None and race.state in ("official", "closed") else text("Leader")
    return WinnerCard(title, leader.racer, format_ms(leader.score_ms), ahead)


def overlay_data(view: View) -> dict[str, Any]:
    """What the page's script needs beyond the parts."""
    return {"mode": view.mode}


OVERLAY = PageContent(
    overlay_model,
    ("tower_title", "tower_worth", "lower", "winner"),
    {"tower": "tower_row"},
    macros="overlay_parts.html",
    data=overlay_data,
)
