"""The replay's page and data from one or two traces: drawn track, lines coloured by speed, sectors, faults. Pure."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard.core.evaluations.replays import ReplayRun
from leaderboard.core.race import RaceRecord
from leaderboard.pages.replay.ghost import SECTORS, WHOLE_RUN, Ghost, GhostFault, lap_numbers, make_ghost
from shared.text import Sentence, text
from shared.traces.trace import DriveTrace, EventKind
from shared.tracks.drawing import TrackDrawing, draw_track, place_on, spots_on
from shared.tracks.outline import TrackOutline
from shared.tracks.shipped import shipped_name, shipped_outline
from shared.units import format_ms

SPEED_STEPS = 5
LETTERS = ("A", "B")
FAULT_WORDS: dict[EventKind, Sentence] = {
    "off_track": text("Off the track"),
    "crashed": text("Crashed"),
    "reversed": text("Drove backwards"),
    "immobilized": text("Stood still"),
}


@dataclass(frozen=True, slots=True)
class SpeedLine:
    """A stretch of the driven line at one step of speed, 1 (slow) to SPEED_STEPS."""

    step: int
    path: str


@dataclass(frozen=True, slots=True)
class SpeedStep:
    """A step of the legend."""

    step: int
    words: str


@dataclass(frozen=True, slots=True)
class FaultMark:
    """A fault on the map and in the list."""

    x: int
    y: int
    words: Sentence


@dataclass(frozen=True, slots=True)
class TimedPart:
    """A sector of a lap, or a lap of a whole run; `gap`: how much longer (+) than the first car's, "" without one."""

    label: str
    time: str
    gap: str = ""


@dataclass(frozen=True, slots=True)
class GhostView:
    """One car of the replay."""

    letter: str
    key: str
    racer: str
    lap: Sentence
    time: str
    lines: tuple[SpeedLine, ...]
    path: str
    x: int
    y: int
    faults: tuple[FaultMark, ...]
    parts: tuple[TimedPart, ...]


@dataclass(frozen=True, slots=True)
class RunChoice:
    """A run in the lists to choose from."""

    key: str
    words: str


@dataclass(frozen=True, slots=True)
class SectorEnd:
    """Where a sector begins on the map: the line across the road, and where its label stands."""

    label: str
    path: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class ReplayView:
    """All of the page that depends on traces."""

    drawing: TrackDrawing
    radius: int
    ghosts: tuple[GhostView, ...]
    legend: tuple[SpeedStep, ...]
    sector_ends: tuple[SectorEnd, ...]
    boxes: tuple[str, ...]
    companions: tuple[tuple[int, int], ...]  # where each begins
    laps: tuple[int, ...]
    lap: int


@dataclass(frozen=True, slots=True)
class ReplayCar:
    """A run, its trace and what is shown of it."""

    run: ReplayRun
    trace: DriveTrace
    ghost: Ghost


def run_choices(runs: Sequence[ReplayRun]) -> tuple[RunChoice, ...]:
    """The runs as they stand in the lists."""
    return tuple(RunChoice(run.key, _run_words(run)) for run in runs)


def _run_words(run: ReplayRun) -> str:
    if run.score_ms is None:
        return text("{racer}, no score", racer=run.racer)
    return text("{racer}, {score}", racer=run.racer, score=format_ms(run.score_ms))


def replay_outline(race: RaceRecord) -> TrackOutline | None:
    """The outline of the race's track; None if we have none, so that nothing can be drawn."""
    name = shipped_name(race.track)
    return None if name is None else shipped_outline(name)


def replay_car(run: ReplayRun, trace: DriveTrace, outline: TrackOutline, lap: int) -> ReplayCar:
    """A run as it is replayed."""
    return ReplayCar(run, trace, make_ghost(trace, outline, lap))


def replay_view(race: RaceRecord, outline: TrackOutline, cars: Sequence[ReplayCar], lap: int) -> ReplayView:
    """The page's view of one or two cars."""
    reverse = outline.clockwise != (race.direction == "clockwise")
    drawing = draw_track(outline, reverse=reverse)
    top_mm_s = max((speed for car in cars for speed in car.ghost.speeds_mm_s), default=0) or 1
    sides = [int(side) for side in drawing.view_box.split()[2:]]
    shares = [(-1 if reverse else 1) * number / SECTORS for number in range(1, SECTORS)]
    return ReplayView(
        drawing=drawing,
        radius=max(round(max(sides) * 0.024), drawing.width // 6),
        ghosts=tuple(_ghost(letter, car, cars[0], top_mm_s) for letter, car in zip(LETTERS, cars, strict=False)),
        legend=_legend(top_mm_s),
        sector_ends=tuple(_sector_end(outline, f"S{n}", share) for n, share in enumerate(shares, 2)),
        boxes=_boxes(outline, cars[0].trace),
        companions=tuple((each.x[0], each.y[0]) for each in cars[0].ghost.companions if each.x),
        laps=lap_numbers(cars[0].trace),
        lap=lap,
    )


def replay_data(cars: Sequence[ReplayCar]) -> dict[str, Any]:
    """What the script moves the cars by; `companions` are those of the first car's run, frame by frame as it is."""
    return {
        "cars": [
            {
                "letter": letter,
                "racer": car.run.racer,
                "times": car.ghost.times_ms,
                "x": car.ghost.x,
                "y": car.ghost.y,
                "speeds": car.ghost.speeds_mm_s,
                "progress": car.ghost.progress,
                "jumps": car.ghost.jumps,
            }
            for letter, car in zip(LETTERS, cars, strict=False)
        ],
        "companions": [{"x": each.x, "y": each.y} for each in cars[0].ghost.companions],
    }


def _ghost(letter: str, car: ReplayCar, first: ReplayCar, top_mm_s: int) -> GhostView:
    ghost = car.ghost
    whole = text("the whole run") if ghost.lap == WHOLE_RUN else text("lap {n}", n=ghost.lap)
    return GhostView(
        letter=letter,
        key=car.run.key,
        racer=car.run.racer,
        lap=whole,
        time="" if ghost.lap_ms is None else format_ms(ghost.lap_ms),
        lines=_lines(ghost, top_mm_s),
        path=_path(ghost, range(len(ghost.x))),
        x=ghost.x[0] if ghost.x else 0,
        y=ghost.y[0] if ghost.y else 0,
        faults=tuple(FaultMark(fault.x, fault.y, _fault_words(fault)) for fault in ghost.faults),
        parts=_parts(ghost, first.ghost),
    )


def _fault_words(fault: GhostFault) -> Sentence:
    what, at = FAULT_WORDS[fault.kind], format_ms(fault.at_ms)
    if not fault.penalty_ms:
        return text("{what} at {time}", what=what, time=at)
    return text("{what} at {time}, penalty {penalty} s", what=what, time=at, penalty=f"{fault.penalty_ms / 1000:g}")


def _step(speed_mm_s: int, top_mm_s: int) -> int:
    return min(SPEED_STEPS, 1 + speed_mm_s * SPEED_STEPS // top_mm_s)


def _lines(ghost: Ghost, top_mm_s: int) -> tuple[SpeedLine, ...]:
    """The driven line, cut where the step of speed changes and where the car was put back."""
    steps = [_step(speed, top_mm_s) for speed in ghost.speeds_mm_s]
    cuts = set(ghost.jumps)
    lines: list[SpeedLine] = []
    begin = 0
    for frame in range(1, len(steps)):
        if frame in cuts or steps[frame] != steps[begin]:
            lines.append(SpeedLine(steps[begin], _path(ghost, range(begin, frame))))
            begin = frame if frame in cuts else frame - 1
            steps[begin] = steps[frame]
    if steps:
        lines.append(SpeedLine(steps[begin], _path(ghost, range(begin, len(steps)))))
    return tuple(line for line in lines if "l" in line.path)


def _path(ghost: Ghost, frames: range) -> str:
    """SVG path data: absolute first, then relative; a new beginning where the car was put back."""
    if not len(frames):
        return ""
    jumps = set(ghost.jumps)
    written = f"M{ghost.x[frames[0]]} {ghost.y[frames[0]]}"
    for before, after in itertools.pairwise(frames):
        dx, dy = ghost.x[after] - ghost.x[before], ghost.y[after] - ghost.y[before]
        if after in jumps:
            written += f"M{ghost.x[after]} {ghost.y[after]}"
        elif dx or dy:
            written += f"l{dx} {dy}"
    return written


def _boxes(outline: TrackOutline, trace: DriveTrace) -> tuple[str, ...]:
    """Path data of each box on the track."""
    paths: list[str] = []
    for box in trace.boxes:
        yaw, x, y = math.radians(box.yaw_mdeg / 1000), box.x_tenths_mm / 10_000, box.y_tenths_mm / 10_000
        ahead, aside = box.length_mm / 2000, box.width_mm / 2000
        corners = [
            (x + a * math.cos(yaw) - b * math.sin(yaw), y + a * math.sin(yaw) + b * math.cos(yaw))
            for a, b in ((ahead, aside), (ahead, -aside), (-ahead, -aside), (-ahead, aside))
        ]
        paths.append("M" + "L".join(f"{spot_x} {spot_y}" for spot_x, spot_y in spots_on(outline, corners)) + "z")
    return tuple(paths)


def _legend(top_mm_s: int) -> tuple[SpeedStep, ...]:
    edges = [top_mm_s * step / SPEED_STEPS / 1000 for step in range(SPEED_STEPS + 1)]
    return tuple(SpeedStep(n, f"{low:.1f}–{high:.1f}") for n, (low, high) in enumerate(itertools.pairwise(edges), 1))


def _parts(ghost: Ghost, first: Ghost) -> tuple[TimedPart, ...]:
    """The times of the sectors, or of the laps; of a second car with the difference to the first one."""
    mark = "L" if ghost.lap == WHOLE_RUN else "S"
    others = first.parts_ms if ghost is not first and (first.lap == WHOLE_RUN) == (ghost.lap == WHOLE_RUN) else ()
    gaps = [_signed(own - other) for own, other in zip(ghost.parts_ms, others, strict=False)]
    rows = itertools.zip_longest(ghost.parts_ms, gaps[: len(ghost.parts_ms)], fillvalue="")
    return tuple(TimedPart(f"{mark}{n}", format_ms(int(time_ms)), str(gap)) for n, (time_ms, gap) in enumerate(rows, 1))


def _sector_end(outline: TrackOutline, label: str, share: float) -> SectorEnd:
    """The line across the road; the label beyond its outer edge. Without known edges it stands on the centre line."""
    at = outline.point_at(share)
    row = min(range(len(outline.centre)), key=lambda n: math.dist(outline.centre[n], at))
    if not outline.inner:
        return SectorEnd(label, "", *place_on(outline, share))
    inner, outer = outline.inner[row], outline.outer[row]
    beyond = (outer[0] + 0.35 * (outer[0] - inner[0]), outer[1] + 0.35 * (outer[1] - inner[1]))
    (x1, y1), (x2, y2), (x, y) = spots_on(outline, [inner, outer, beyond])
    return SectorEnd(label, f"M{x1} {y1}L{x2} {y2}", x, y)


def _signed(gap_ms: int) -> str:
    sign = "±" if gap_ms == 0 else "+" if gap_ms > 0 else "\N{MINUS SIGN}"
    return f"{sign}{format_ms(abs(gap_ms))}"
