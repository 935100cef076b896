"""What the results page and the certificates show: texts and figures as they are read. Pure."""

from dataclasses import dataclass

from shared.rules.ranking import RunLap
from shared.rules.wording import incidents, rules_in_words, score_name
from shared.text import Sentence, joined, ntext, text
from shared.text.dates import LongDay, moment_of, time_of_day
from shared.tracks.drawing import TrackDrawing, draw_track
from shared.tracks.outline import TrackOutline
from shared.units import format_ms
from shared.web.drawing.sparkline import SparkLap, Sparkline, sparkline
from station.views.results.race_results import (
    LapResult,
    PlaceResult,
    RaceResults,
    RunResult,
    tie_words,
    uncertainty_words,
)
from station.web.pages.live.presenter import racer_key
from station.web.presenters.laps import TIMED_BY_HAND, is_said_by_source
from station.web.presenters.time_zones import zone_of

MAX_RUNS_SHOWN = 400  # with all their laps on one page; the files have all of them


@dataclass(frozen=True, slots=True)
class LapCell:
    """A lap in a row of laps. `sign` and `words` say what became of it; `note`: penalties and remarks."""

    number: int
    time: str
    in_score: bool
    counts: bool
    sign: str
    words: Sentence
    note: str


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A line of the results: figures as text. `mark`: ≈ or = if a tie was decided; `timed`: how, if not by sensors.

    `sparkline`: the laps of the run that holds the place; None if they make no line.
    """

    key: str
    rank: int
    racer: str
    flag: str
    team: str
    score: str
    mark: str
    gap: str
    best: str
    runs: int
    car: str
    model: str
    laps: tuple[LapCell, ...]
    timed: str = ""
    sparkline: Sparkline | None = None


@dataclass(frozen=True, slots=True)
class RunRows:
    """A run with all its laps."""

    run_id: str
    racer: str
    title: Sentence
    score: str
    laps: tuple[LapCell, ...]


@dataclass(frozen=True, slots=True)
class ResultsModel:
    """The whole page. `stamp`: that the results are official, or that they are not yet."""

    race_id: str
    name: str
    event: str
    facts: tuple[str, ...]
    official: bool
    stamp: Sentence
    score_name: str
    rules: tuple[str, ...]
    places: tuple[PlaceRow, ...]
    runs: tuple[RunRows, ...]
    hidden_runs: int
    ties: tuple[Sentence, ...]
    uncertainty: Sentence
    track: TrackDrawing | None
    clock_trusted: bool


def results_model(results: RaceResults, outline: TrackOutline | None) -> ResultsModel:
    """The page of these results."""
    shown = [run for run in results.runs if run.laps][-MAX_RUNS_SHOWN:]
    return ResultsModel(
        race_id=results.race_id,
        name=results.name,
        event=results.event,
        facts=_facts(results),
        official=results.official is not None,
        stamp=stamp(results),
        score_name=score_name(results.rules),
        rules=tuple(rules_in_words(results.rules)),
        places=tuple(_place(results, place) for place in results.places),
        runs=tuple(_run(run) for run in shown),
        hidden_runs=len([run for run in results.runs if run.laps]) - len(shown),
        ties=tuple(tie_words(results)),
        uncertainty=uncertainty_words(results),
        track=drawing(results, outline),
        clock_trusted=results.clock_trusted,
    )


def lap_lines(results: RaceResults) -> dict[str, tuple[str, str]]:
    """By the key of a racer's row in the live standings: the line of the run that holds the place, and its marks."""
    lines = {}
    for place in results.places:
        run = results.run(place.run_id)
        line = _sparkline(run.laps if run is not None else ())
        if line is not None:
            lines[racer_key(place.racer)] = (line.line, line.marks)
    return lines


def drawing(results: RaceResults, outline: TrackOutline | None) -> TrackDrawing | None:
    """The race's track, its arrow in the direction of the race; None if its geometry is not known."""
    if outline is None:
        return None
    return draw_track(outline, reverse=outline.clockwise != (results.direction == "clockwise"))


def stamp(results: RaceResults) -> Sentence:
    """That the results are official: by whom and when; or that they are provisional."""
    official = results.official
    if official is None and results.state == "official":
        return text("Official results.")
    if official is None:
        return text("Provisional results.")
    at = when(official.utc_ns, results.time_zone)
    if official.confirmed_by:
        return text(
            "Official results: declared by {author} with {second}, {at}.",
            author=official.author,
            second=official.confirmed_by,
            at=at,
        )
    return text("Official results: declared by {author}, {at}.", author=official.author, at=at)


def when(utc_ns: int, time_zone: str) -> Sentence:
    """Day and time of day at the event: "5 March 2026, 15:03"."""
    zone = zone_of(time_zone)
    at = time_of_day(utc_ns, zone, seconds=False)
    return text("{day}, {time}", day=LongDay(moment_of(utc_ns, zone).date()), time=at)


def day(results: RaceResults) -> str:
    """The day on which the race's last run ended, at the event; "" before the first."""
    last = max((run.finished_utc_ns for run in results.runs), default=0)
    return text("{day}", day=LongDay(moment_of(last, zone_of(results.time_zone)).date())) if last else ""


def _facts(results: RaceResults) -> tuple[str, ...]:
    counted = ntext("{n} run", "{n} runs", n=len(results.runs))
    version = text("rules version {number}", number=results.rules_version) if results.rules_version > 1 else ""
    return tuple(fact for fact in (results.track, day(results), counted, version) if fact)


def _place(results: RaceResults, place: PlaceResult) -> PlaceRow:
    run = results.run(place.run_id)
    mark = {"earlier": "=", "uncertain": "≈"}.get(place.tie, "")
    return PlaceRow(
        key=f"place-{place.rank}",
        rank=place.rank,
        racer=place.racer,
        flag=place.flag,
        team=place.team,
        score=format_ms(place.score_ms),
        mark=mark,
        gap=f"+{format_ms(place.gap_ms)}" if place.rank > 1 else "",
        best=format_ms(place.best_ms) if place.best_ms is not None else "",
        runs=place.runs,
        car=place.car,
        model=place.model,
        laps=tuple(lap_cell(lap) for lap in (run.laps if run else ()) if lap.in_score),
        timed=TIMED_BY_HAND if run is not None and run.hand_timed else "",
        sparkline=_sparkline(run.laps if run else ()),
    )


def _sparkline(laps: tuple[LapResult, ...]) -> Sparkline | None:
    return sparkline([SparkLap(lap.lap_ms if lap.counts else None, lap.in_score) for lap in laps])


def _run(run: RunResult) -> RunRows:
    title = text("attempt {number}, {car}", number=run.attempt, car=run.car)
    if run.hand_timed:
        title = joined((title, TIMED_BY_HAND), " · ")
    score = format_ms(run.score_ms) if run.score_ms is not None else ""
    return RunRows(run.run_id, run.racer, title, score, tuple(lap_cell(lap) for lap in run.laps))


def lap_cell(lap: LapResult) -> LapCell:
    """A lap as text: its time as it counts, and what became of it."""
    notes = _incidents(lap)
    if lap.penalty_ms:
        notes.insert(0, f"+{format_ms(lap.penalty_ms)}")
    if lap.reason and not is_said_by_source(lap.source, lap.reason):
        notes.append(lap.reason)
    sign, words = ("", text("counts")) if lap.counts else ("✕", text("does not count"))
    if lap.source != "gate":
        notes.append(_SOURCES.get(lap.source, lap.source))
    return LapCell(lap.number, format_ms(lap.lap_ms), lap.in_score, lap.counts, sign, words, joined(notes, " · "))


_SOURCES: dict[str, Sentence] = {
    "official": text("added by an official"),
    "system_b": text("by the backup timing"),
    "hand": text("by hand, ±0.1 s"),
    "car": text("by the car's report"),
}


def _incidents(lap: LapResult) -> list[str]:
    return [*incidents(RunLap(lap.number, 0, 0, lap.off_tracks, lap.collisions, lap.resets))]
