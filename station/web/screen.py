"""The whole page as facts for a template: the run, its clock, its laps, the standing, the health strip. Pure."""

from dataclasses import dataclass

from shared.ranking import RaceRules
from shared.units import NS_PER_MS, NS_PER_S, format_ms, format_ns
from station.view import ClockView, RunView, View
from station.web.health import HealthLine, alarms, health_lines
from station.web.words import NOTHING, LapLine, PlaceLine, lap_lines, place_lines, rules_words, score_words, window


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure under the clock."""

    label: str
    value: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class RunScreen:
    """The run on the track. `clock` is its text at the view's instant; `started_ms` lets a browser go on from there."""

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
    tiles: tuple[Tile, ...]
    incidents: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something for an official to decide: a crossing that was missed, false or flagged."""

    key: str
    sentence: str
    at_ns: int
    can_add: bool


@dataclass(frozen=True, slots=True)
class Screen:
    """All of the page at one version of the view."""

    version: int
    station: str
    race_name: str
    track: str
    rules: str
    alarms: tuple[str, ...]
    run: RunScreen | None
    laps: tuple[LapLine, ...]
    window_words: str
    places: tuple[PlaceLine, ...]
    health: tuple[HealthLine, ...]
    doubts: tuple[Doubt, ...]
    next_command: str


def screen_of(view: View) -> Screen:
    """A view as the page shows it."""
    rules = view.race.rules if view.race is not None else RaceRules()
    laps = lap_lines(view.run, rules) if view.run is not None else []
    return Screen(
        version=view.version,
        station=view.station,
        race_name=view.race.name if view.race is not None else "No race is set",
        track=view.race.track if view.race is not None else "",
        rules=rules_words(rules) if view.race is not None else "",
        alarms=tuple(alarms(view)),
        run=_run(view.run, rules, view.clock, laps) if view.run is not None else None,
        laps=tuple(laps),
        window_words=_window_words(view.run, rules),
        places=tuple(place_lines(view)),
        health=tuple(health_lines(view)),
        doubts=tuple(_doubts(view.run)),
        next_command=next_command(view),
    )


def _run(run: RunView, rules: RaceRules, clock: ClockView, laps: list[LapLine]) -> RunScreen:
    running = run.phase == "running" and run.lap_started_ns is not None
    label, text = _clock(run, rules, clock)
    return RunScreen(
        run_id=run.run_id,
        racer=run.racer,
        car=run.car,
        model=run.model,
        attempt=f"Attempt {run.attempt}",
        phase=run.phase,
        phase_words=phase_words(run),
        clock_label=label,
        clock=text,
        started_ms=run.lap_started_ns / NS_PER_MS if running and run.lap_started_ns is not None else None,
        ends_ms=run.ends_ns / NS_PER_MS if run.ends_ns is not None and run.phase == "running" else None,
        tiles=_tiles(run, rules, clock, laps),
        incidents=_incidents(run),
        notes=_notes(run),
    )


def phase_words(run: RunView) -> str:
    """Where the run stands, for somebody who looks up now."""
    match run.phase:
        case "idle":
            return "Waiting"
        case "armed":
            return "Go! To the line" if run.released else "Ready to start"
        case "running":
            return "On track"
        case "finished":
            return "Finished" if run.counts else "Does not count"


def _clock(run: RunView, rules: RaceRules, clock: ClockView) -> tuple[str, str]:
    """The big figure: the lap that runs, or what came out of the run."""
    if run.phase == "finished":
        return score_words(rules), format_ms(run.score_ms) if run.score_ms is not None else NOTHING
    if run.phase == "running" and run.lap_started_ns is not None:
        return f"Lap {run.lap_number}", running_text(clock.now_ns - run.lap_started_ns)
    return "Lap 1", "0.0"


def running_text(elapsed_ns: int) -> str:
    """A clock that runs shows tenths: more could not be read. 71_234 ms is '1:11.2'."""
    return format_ns(max(0, elapsed_ns))[:-2]


def _tiles(run: RunView, rules: RaceRules, clock: ClockView, laps: list[LapLine]) -> tuple[Tile, ...]:
    last = laps[0] if laps else None
    of = f"of {rules.max_laps}" if rules.max_laps is not None else ""
    tiles = [
        Tile("Laps", str(len(run.laps)), of),
        Tile("Last lap", last.time if last else NOTHING, last.status if last else "", last.tone if last else ""),
        Tile("Best lap", format_ns(run.best_ns) if run.best_ns is not None else NOTHING),
    ]
    if run.ends_ns is not None and run.phase == "running":
        left_ns = max(0, run.ends_ns - clock.now_ns)
        tiles.append(Tile("Time left", format_ms(left_ns // NS_PER_S * 1000).removesuffix(".000")))
    if run.phase != "finished":
        tiles.append(Tile(score_words(rules), format_ms(run.score_ms) if run.score_ms is not None else NOTHING))
    return tuple(tiles)


def _incidents(run: RunView) -> str:
    counts = (("off track", run.lap_off_tracks), ("collision", run.lap_collisions), ("reset", run.lap_resets))
    said = [f"{name} ×{count}" for name, count in counts if count]
    return f"This lap: {', '.join(said)}" if said else ""


def _notes(run: RunView) -> tuple[str, ...]:
    notes = []
    if run.phase == "finished":
        notes.append(run.finished_reason)
        if run.counts and run.score_ms is None:
            notes.append("The run did not qualify.")
    return tuple(note for note in notes if note)


def _window_words(run: RunView | None, rules: RaceRules) -> str:
    if run is None or not run.laps:
        return ""
    score = window(run, rules)
    if score is None:
        return f"{rules.consecutive_laps} counted laps in a row are needed"
    if score.first_lap == score.last_lap:
        return f"Lap {score.first_lap} makes the score"
    return f"Laps {score.first_lap} to {score.last_lap} make the score"


def _doubts(run: RunView | None) -> list[Doubt]:
    if run is None:
        return []
    flagged = [Doubt(f"flag-{at_ns}", "A crossing came too soon to end a lap.", at_ns, True) for at_ns in run.flagged]
    return flagged + [
        Doubt(f"doubt-{p.kind}-{p.at_ns}", p.sentence, p.at_ns, p.kind == "missed_crossing") for p in run.proposals
    ]


def next_command(view: View) -> str:
    """What the operator most likely does next: the page offers it first. Whether it may be done, the core says."""
    run = view.run
    if run is None or run.phase in ("idle", "finished"):
        return "open_run"
    car = next((car for car in view.cars if car.name == run.car), None)
    mode = car.mode if car is not None and car.online else "disarmed"
    if run.phase == "armed" and not run.released:
        return "start" if mode == "ready" else "arm"
    return "resume" if mode in ("tripped", "stopped", "disarmed") else "finish"
