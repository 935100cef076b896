"""The model of the whole page for the templates: the run, its clock, laps, standings, health strip. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.protocol.messages import CarMode
from shared.rules.ranking import RaceRules
from shared.rules.wording import INCIDENTS, rules_line, score_name
from shared.text import Sentence, joined, ntext, recorded, text
from shared.units import NS_PER_MS, format_ms, format_ns
from station.views.car_views import CarView
from station.views.provisional import provisional
from station.views.race_views import RunView
from station.views.system_views import ClockView, SyncView
from station.views.views import View
from station.web.presenters.health import HealthLine, alarms, health_lines
from station.web.presenters.laps import NOTHING, LapLine, PlaceLine, lap_lines, laps_together, place_lines, window
from station.web.presenters.proposals import PendingDecision, pending_decisions
from station.web.presenters.tiles import Tile, best_tile, tiles
from station.web.presenters.uncounted_crossings import UncountedLine, uncounted_lines

ZERO = "0.0"  # the clock before the first crossing


@dataclass(frozen=True, slots=True)
class RunPanel:
    """A run as the page shows it. `clock`: its text at the view's instant; `started_ms` lets a browser run it on."""

    run_id: str
    racer: str
    car: str
    model: str
    attempt: str
    phase: str
    phase_words: str
    clock_label: str
    clock: str
    started_ms: float | None
    ends_ms: float | None
    incidents: str
    notes: tuple[str, ...]
    happened: tuple[tuple[str, str], ...] = ()  # incidents of the current lap that can be undone
    lap: int = 0  # the number of the current lap


@dataclass(frozen=True, slots=True)
class CarPanel:
    """One of several cars on the track, with its own clock. `number`: its place on the page, and its shortcut key."""

    key: str
    number: int
    run: RunPanel
    laps: str
    last: Tile
    best: Tile
    worth: Sentence


@dataclass(frozen=True, slots=True)
class PageModel:
    """The whole page, for one version of the view."""

    version: int
    station: str
    race_name: str
    track: str
    rules: str
    alarms: tuple[str, ...]
    clock_unset: bool
    testing: bool
    run: RunPanel | None
    together: tuple[CarPanel, ...]
    tiles: tuple[Tile, ...]
    laps: tuple[LapLine, ...]
    window_words: str
    places: tuple[PlaceLine, ...]
    health: tuple[HealthLine, ...]
    pending_decisions: tuple[PendingDecision, ...]
    sync: SyncView
    uncounted: tuple[UncountedLine, ...]
    next_command: str


def page_model(view: View) -> PageModel:
    """The model of the page that shows this view."""
    rules = view.race.rules if view.race is not None else RaceRules()
    laps = lap_lines(view.run, rules, view.race) if view.run is not None else []
    several = len(view.runs) > 1
    return PageModel(
        version=view.version,
        station=view.station,
        race_name=view.race.name if view.race is not None else text("No race is configured"),
        track=view.race.track if view.race is not None else "",
        rules=rules_line(rules) if view.race is not None else "",
        alarms=tuple(alarms(view)),
        clock_unset=not view.clock.trusted,
        testing=view.mode == "test",
        run=run_panel(view),
        together=tuple(_together(view, rules)) if several else (),
        tiles=tiles(view, rules, laps),
        laps=tuple(laps_together(view.runs, rules, view.race) if several else laps),
        window_words="" if several else _window_words(view.run, rules),
        places=tuple(place_lines(view)),
        health=tuple(health_lines(view)),
        pending_decisions=tuple(pending_decisions(view)),
        sync=view.sync,
        uncounted=uncounted_lines(view),
        next_command=next_command(view),
    )


def run_panel(view: View) -> RunPanel | None:
    """The run on the track, or the last one; None before the first."""
    rules = view.race.rules if view.race is not None else RaceRules()
    return panel_of(view.run, rules, view.clock, view.cars) if view.run is not None else None


def panel_of(run: RunView, rules: RaceRules, clock: ClockView, cars: tuple[CarView, ...]) -> RunPanel:
    running = run.phase == "running" and run.lap_started_ns is not None
    label, figures = _clock(run, rules, clock)
    return RunPanel(
        run_id=run.run_id,
        racer=run.racer,
        car=run.car,
        model=run.model,
        attempt=text("Attempt {number}", number=run.attempt),
        phase=run.phase,
        phase_words=phase_words(run, cars),
        clock_label=label,
        clock=figures,
        started_ms=run.lap_started_ns / NS_PER_MS if running and run.lap_started_ns is not None else None,
        ends_ms=run.ends_ns / NS_PER_MS if run.ends_ns is not None and run.phase == "running" else None,
        incidents=_incidents(run),
        notes=_notes(run),
        happened=tuple((kind, INCIDENTS[kind].one) for kind, count in _counts(run) if count),
        lap=run.lap_number,
    )


def _together(view: View, rules: RaceRules) -> Iterator[CarPanel]:
    for number, run in enumerate(view.runs, 1):
        newest = next(iter(lap_lines(run, rules, view.race)), None)
        laps = str(len(run.laps))
        if rules.max_laps is not None:
            laps = text("{laps} of {limit}", laps=len(run.laps), limit=rules.max_laps)
        last = (
            Tile(text("Last lap"), newest.time, joined((newest.sign, newest.status)), newest.tone)
            if newest is not None
            else Tile(text("Last lap"), NOTHING)
        )
        screen = panel_of(run, rules, view.clock, view.cars)
        worth = provisional(view, run).words if run.phase == "running" else text("")
        yield CarPanel(f"on-{run.run_id}", number, screen, laps, last, best_tile(view, run, rules), worth)


def phase_words(run: RunView, cars: tuple[CarView, ...]) -> str:
    """The state of the run in a few words, by what the car does, which is not always what was ordered."""
    match run.phase:
        case "idle":
            return text("Waiting")
        case "armed":
            return _armed_words(run, next((car.mode for car in cars if car.name == run.car and car.online), None))
        case "running":
            return text("On track")
        case "finished":
            return text("Finished") if run.counts else text("Does not count")


def _armed_words(run: RunView, mode: CarMode | None) -> str:
    if run.by_hand:
        return text("Go! Started by hand")
    if mode is None:
        return text("Waiting for the car")
    if run.released:
        return text("Go! To the line") if mode == "driving" else text("Start ordered")
    return text("Ready to start") if mode == "ready" else text("Car getting ready")


def _clock(run: RunView, rules: RaceRules, clock: ClockView) -> tuple[str, str]:
    """Label and text of the large clock: the current lap, or the score of a finished run."""
    if run.phase == "finished":
        return score_name(rules), format_ms(run.score_ms) if run.score_ms is not None else text("No score")
    if run.phase == "running" and run.lap_started_ns is not None:
        return text("Lap {number}", number=run.lap_number), running_text(clock.now_ns - run.lap_started_ns)
    return text("Lap {number}", number=1), ZERO


def running_text(elapsed_ns: int) -> str:
    """The text of a running clock, in tenths of a second: 71_234_000_000 ns is '1:11.2'."""
    return format_ns(max(0, elapsed_ns))[:-2]


def _incidents(run: RunView) -> str:
    incidents = [joined((INCIDENTS[kind].one, f"×{count}")) for kind, count in _counts(run) if count]
    return text("This lap: {what}", what=joined(incidents, ", ")) if incidents else ""


def _counts(run: RunView) -> tuple[tuple[str, int], ...]:
    """The incidents of the current lap: kind, and how often."""
    return tuple(zip(INCIDENTS, (run.lap_off_tracks, run.lap_collisions, run.lap_resets), strict=True))


def _notes(run: RunView) -> tuple[str, ...]:
    notes: list[str] = []
    if run.hand_timed:
        notes.append(text("The gate does not time this run: an official does by hand, ±0.1 s."))
    if run.phase == "finished":
        notes.append(recorded(run.finished_reason))
        if run.counts and run.score_ms is None:
            notes.append(text("The run did not qualify."))
    if run.last_lap and run.phase == "running":
        notes.append(text("Time is up: the lap in progress still counts."))
    if run.limit_unsure:
        notes.append(text("The station restarted during this run, so its time may be up already; Finish ends it."))
    notes.append(recorded(run.model_note))
    return tuple(note for note in notes if note)


def _window_words(run: RunView | None, rules: RaceRules) -> str:
    if run is None or not run.laps:
        return ""
    score = window(run, rules)
    if score is None:
        return ntext("{n} counted lap is needed", "{n} counted laps in a row are needed", n=rules.consecutive_laps)
    if score.first_lap == score.last_lap:
        return text("Lap {number} makes the score", number=score.first_lap)
    return text("Laps {first} to {last} make the score", first=score.first_lap, last=score.last_lap)


def next_command(view: View) -> str:
    """The command most likely to come next, which the page highlights; the core decides whether it is allowed."""
    return "open_run" if view.run is None else next_command_of_run(view, view.run)


def next_command_of_run(view: View, run: RunView) -> str:
    """As `next_command`, for one of several runs."""
    if run.phase in ("idle", "finished"):
        return "open_run"
    car = next((car for car in view.cars if car.name == run.car), None)
    mode = car.mode if car is not None and car.online else "disarmed"
    if run.phase == "armed" and not run.released:
        return "start" if mode == "ready" else "arm"
    return "resume" if mode in ("tripped", "stopped", "disarmed") else "finish"
