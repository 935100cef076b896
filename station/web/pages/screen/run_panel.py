"""The run beside the board: the racer on the track, several cars, the last result, or who is next. Pure."""

from dataclasses import dataclass
from typing import Literal

from shared.rules.ranking import RaceRules
from shared.rules.wording import score_name
from shared.text import Sentence, text
from shared.units import NS_PER_MS, format_ms
from station.views.provisional import ordinal, provisional
from station.views.race_views import RunView
from station.views.views import View
from station.web.pages.screen.rows import NextRacer, is_long, next_racers
from station.web.presenters.laps import lap_lines
from station.web.presenters.page import phase_words, running_text
from station.web.presenters.sectors import SectorCell, sector_bar

PanelKind = Literal["run", "cars", "result", "next", "idle"]
# The best lap of a run has a sign only if it is the best of all, or the racer's: otherwise it is no news.
_NEWS = {"purple": "◆", "green": "▲"}
LINGER_NS = 60_000_000_000  # how long a result stays when nobody drives after it


@dataclass(frozen=True, slots=True)
class HallFact:
    """A line under the clock. `tone` and `sign`: how a lap counts, as a chip; "" for a plain figure."""

    label: Sentence
    figure: str
    tone: str = ""
    sign: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class HallRun:
    """A run as the hall sees it. `started_ms` lets the browser run the clock on; `wrong`: it does not count.

    `worth`: the place that it would have if it ended now, "" if none.
    """

    run_id: str
    phase: str
    words: Sentence | str
    racer: str
    is_long: bool
    clock: str
    started_ms: float | None
    facts: tuple[HallFact, ...]
    sectors: tuple[SectorCell, ...]
    worth: Sentence
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class RunPanelModel:
    """What stands beside the board: one run, several cars, the last result, or the next racers."""

    kind: PanelKind
    runs: tuple[HallRun, ...] = ()
    next: tuple[NextRacer, ...] = ()


def run_panel_model(view: View) -> RunPanelModel:
    """What stands beside the board now."""
    if len(view.runs) > 1:
        return RunPanelModel("cars", tuple(hall_run(view, run) for run in view.runs[:6]))
    run = view.run
    if run is not None and run.phase in ("armed", "running"):
        return RunPanelModel("run", (hall_run(view, run),))
    if run is not None and run.phase == "finished" and not _is_over(view, run):
        return RunPanelModel("result", (hall_run(view, run),))
    racers = next_racers(view, 1)
    return RunPanelModel("next" if racers else "idle", next=racers)


def hall_run(view: View, run: RunView) -> HallRun:
    """One run, in figures that can be read from the other end of the hall."""
    rules = view.race.rules if view.race is not None else RaceRules()
    running = run.phase == "running" and run.lap_started_ns is not None
    finished = run.phase == "finished"
    started_ms = run.lap_started_ns / NS_PER_MS if running and run.lap_started_ns is not None else None
    clock = "0.0" if run.lap_started_ns is None else running_text(view.clock.now_ns - run.lap_started_ns)
    if finished:
        clock = format_ms(run.score_ms) if run.score_ms is not None else "–"
    return HallRun(
        run_id=run.run_id,
        phase=run.phase,
        words=_words(view, run, rules),
        racer=run.racer,
        is_long=is_long(run.racer),
        clock=clock,
        started_ms=started_ms,
        facts=tuple(_facts(view, run, rules)),
        sectors=sector_bar(run.sectors),
        worth=_worth(view, run),
        wrong=finished and not run.counts,
    )


def _worth(view: View, run: RunView) -> Sentence:
    place = provisional(view, run).place if run.phase == "running" else None
    return ordinal(place) if place is not None else text("")


def _words(view: View, run: RunView, rules: RaceRules) -> Sentence | str:
    if run.phase == "finished":
        return score_name(rules) if run.counts else text("Does not count")
    words = phase_words(run, view.cars)
    if run.phase != "running":
        return words
    if rules.max_laps is not None:
        return text("{phase} · Lap {lap} of {laps}", phase=words, lap=max(1, run.lap_number), laps=rules.max_laps)
    return text("{phase} · Lap {lap}", phase=words, lap=max(1, run.lap_number))


def _facts(view: View, run: RunView, rules: RaceRules) -> list[HallFact]:
    lines = lap_lines(run, rules, view.race)
    facts = []
    worth = provisional(view, run)
    if lines:
        facts.append(HallFact(text("Last lap"), lines[0].time, lines[0].tone, lines[0].sign, lines[0].penalty))
    best = next((line for line in sorted(lines, key=_by_time) if line.valid and line.tone != "red"), None)
    if best is not None:
        sign = _NEWS.get(best.tone, "")
        facts.append(HallFact(text("Best lap"), best.time, best.tone if sign else "", sign))
    if run.phase == "finished":
        place = next((line for line in view.standing if line.racer == run.racer), None)
        if place is not None:
            gap = f"+{format_ms(place.gap_ms)}" if place.rank > 1 else ""
            facts.append(HallFact(text("Place"), ordinal(place.rank), note=gap))
        return facts
    if worth.place is not None:
        gap = f"+{format_ms(worth.gap_ms)}" if worth.gap_ms else ""
        facts.append(HallFact(text("Now would be"), ordinal(worth.place), note=gap))
    if worth.needs_ms is not None:
        laps = text("{laps} laps", laps=worth.needs_laps) if worth.needs_laps > 1 else text("")
        facts.append(HallFact(text("Needs to lead"), format_ms(worth.needs_ms), note=laps))
    return facts


def _by_time(line: object) -> tuple[int, str]:
    time = getattr(line, "time", "")
    return len(time), time


def _is_over(view: View, run: RunView) -> bool:
    """Has the last result been shown long enough?"""
    if not run.laps or not view.queue.lines:
        return False
    return view.clock.utc_ns - run.laps[-1].ended_utc_ns > LINGER_NS
