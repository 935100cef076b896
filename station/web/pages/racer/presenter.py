"""What a racer's page shows: his place and what beats it, his runs as strips of laps, his next start. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from shared.rules.person_names import name_key
from shared.rules.wording import score_name
from shared.text import Sentence, ntext, text
from shared.text.dates import time_of_day
from shared.units import format_ms
from station.views.event_view import RacerLine
from station.views.provisional import ordinal, provisional
from station.views.results.race_results import PlaceResult, RaceResults, RunResult
from station.views.views import View
from station.web.pages.results.presenter import LapCell, lap_cell, when
from station.web.presenters.time_zones import event_zone

BAR_WIDTH, BAR_GAP, STRIP_HEIGHT = 22, 4, 60
FASTEST_HEIGHT = 18  # of the fastest lap
MAX_BARS = 60


@dataclass(frozen=True, slots=True)
class StripBar:
    """A lap as a bar of a strip, in units of its view box: the slower, the higher. `words`: what it is."""

    x: int
    y: int
    height: int
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class RunStrip:
    """A run with its laps, as bars and as figures."""

    run_id: str
    title: Sentence
    score: str
    best: bool
    at: str
    view_box: str
    bars: tuple[StripBar, ...]
    laps: tuple[LapCell, ...]


@dataclass(frozen=True, slots=True)
class OtherRace:
    """Another race of the event with the racer's runs. `place` None: no score in it."""

    race_id: str
    name: str
    place: int | None
    of: Sentence
    score: str
    official: bool
    runs: tuple[RunStrip, ...]
    certificate: str


@dataclass(frozen=True, slots=True)
class RacerModel:
    """The whole page. `place` None: no score yet. `beats`: what would win a place; `start`: when he drives next.

    `worth`: what his run on the track would be worth now. `others`: his runs in the other races of the event.
    `own`: it was opened by the racer's own code, so what is on file is shown too.
    """

    race_id: str
    race: str
    event: str
    racer: str
    facts: tuple[str, ...]
    place: int | None
    of: Sentence
    score: str
    score_name: str
    official: bool
    beats: Sentence
    start: Sentence
    worth: Sentence
    runs: tuple[RunStrip, ...]
    others: tuple[OtherRace, ...]
    own: bool
    on_file: tuple[tuple[str, str], ...]
    certificate: str
    calendar: str


def racer_model(
    results: RaceResults, view: View, racer: str, entry: RacerLine | None = None, others: Sequence[RaceResults] = ()
) -> RacerModel:
    """The page of this racer in this race; `entry`: what is on file, if he came by his own code.

    `others`: the other races of the event, in the order in which they are shown.
    """
    place = results.place_of(racer)
    runs = results.runs_of(racer)
    name = place.racer if place else runs[0].racer if runs else entry.alias if entry else racer
    flag, team = (entry.flag, entry.team) if entry else (place.flag, place.team) if place else ("", "")
    return RacerModel(
        race_id=results.race_id,
        race=results.name,
        event=results.event,
        racer=name,
        facts=tuple(fact for fact in (flag, team) if fact),
        place=place.rank if place else None,
        of=ntext("of {n} racer", "of {n} racers", n=len(results.places)),
        score=format_ms(place.score_ms) if place else "",
        score_name=score_name(results.rules),
        official=results.state == "official",
        beats=_beats(results, place),
        start=_start(view, results.race_id, name),
        worth=_worth(view, results.race_id, name),
        runs=tuple(_strip(results, run, place) for run in reversed(runs)),
        others=tuple(_other(race, name) for race in others if race.runs_of(name)),
        own=entry is not None,
        on_file=_on_file(entry) if entry else (),
        certificate=_certificate(results, place),
        calendar=f"/api/v1/queue.ics?racer={quote(name, safe='')}",
    )


def _other(results: RaceResults, racer: str) -> OtherRace:
    place = results.place_of(racer)
    return OtherRace(
        race_id=results.race_id,
        name=results.name,
        place=place.rank if place else None,
        of=ntext("of {n} racer", "of {n} racers", n=len(results.places)),
        score=format_ms(place.score_ms) if place else "",
        official=results.state == "official",
        runs=tuple(_strip(results, run, place) for run in reversed(results.runs_of(racer))),
        certificate=_certificate(results, place),
    )


def _certificate(results: RaceResults, place: PlaceResult | None) -> str:
    return f"/results/{quote(results.race_id, safe='')}/certificates?place={place.rank}" if place else ""


def _worth(view: View, race_id: str, racer: str) -> Sentence:
    """What his run on the track would be worth if it ended now; "" if he is not on the track."""
    if view.race is None or view.race.race_id != race_id:
        return text("")
    key = name_key(racer)
    runs = view.runs or ((view.run,) if view.run is not None else ())
    run = next((each for each in runs if name_key(each.racer) == key and each.phase == "running"), None)
    return provisional(view, run).words if run is not None else text("")


def _beats(results: RaceResults, place: PlaceResult | None) -> Sentence:
    """What would win the next place."""
    if place is None:
        return ntext(
            "No score yet: {n} counted lap is needed.",
            "No score yet: {n} counted laps in a row are needed.",
            n=results.rules.consecutive_laps,
        )
    if place.rank == 1:
        return text("You lead.") if len(results.places) > 1 else text("")
    ahead = results.places[place.rank - 2]
    if not place.interval_ms:
        return text(
            "The same score as {racer} ({place}), who set it earlier; less than {score} takes that place.",
            racer=ahead.racer,
            place=ordinal(ahead.rank),
            score=format_ms(ahead.score_ms),
        )
    return text(
        "{interval} behind {racer} ({place}); less than {score} takes that place.",
        interval=format_ms(place.interval_ms),
        racer=ahead.racer,
        place=ordinal(ahead.rank),
        score=format_ms(ahead.score_ms),
    )


def _start(view: View, race_id: str, racer: str) -> Sentence:
    """When he drives next in the race that is on; "" if he does not wait."""
    if view.race is None or view.race.race_id != race_id:
        return text("")
    key = name_key(racer)
    if any(name_key(run.racer) == key and run.phase != "finished" for run in view.runs):
        return text("On the track now.")
    line = next((each for each in view.queue.lines if name_key(each.racer) == key), None)
    if line is None:
        return text("")
    if line.called:
        return text("You are called: come to the line now.")
    zone = event_zone(view)
    at = time_of_day(line.start_utc_ns, zone, seconds=False)
    minutes = max(0, line.start_utc_ns - view.clock.utc_ns) // 60_000_000_000
    return ntext(
        "Number {place} in the queue: your start is in about {n} minute, at {at}.",
        "Number {place} in the queue: your start is in about {n} minutes, at {at}.",
        n=minutes,
        place=line.place,
        at=at,
    )


def _on_file(entry: RacerLine) -> tuple[tuple[str, str], ...]:
    known = (
        (text("Car"), entry.car),
        (text("Model"), entry.model),
        (text("Transponders"), ", ".join(entry.transponders)),
        (text("Checked in"), text("yes") if entry.checked_in else text("no")),
    )
    return tuple((name, value) for name, value in known if value)


def _strip(results: RaceResults, run: RunResult, place: PlaceResult | None) -> RunStrip:
    laps = run.laps[-MAX_BARS:]
    counted_ms = [lap.lap_ms for lap in laps if lap.counts] or [1]
    fastest, spread = min(counted_ms), max(1, max(counted_ms) - min(counted_ms))
    bars = []
    for number, lap in enumerate(laps):
        # From the fastest to the slowest: bars compare, they do not measure. A lap that does not count is low.
        slower = (STRIP_HEIGHT - FASTEST_HEIGHT) * (lap.lap_ms - fastest) // spread
        height = FASTEST_HEIGHT + slower if lap.counts else 4
        kind = "score" if lap.in_score else "counted" if lap.counts else "out"
        cell = lap_cell(lap)
        words = text("Lap {number}: {time}, {words}", number=lap.number, time=cell.time, words=cell.words)
        bars.append(StripBar(number * (BAR_WIDTH + BAR_GAP), STRIP_HEIGHT - height, height, kind, words))
    width = max(1, len(laps)) * (BAR_WIDTH + BAR_GAP)
    return RunStrip(
        run_id=run.run_id,
        title=text("Attempt {number}", number=run.attempt),
        score=format_ms(run.score_ms) if run.score_ms is not None else "",
        best=place is not None and run.run_id == place.run_id,
        at=when(run.finished_utc_ns, results.time_zone) if run.finished_utc_ns else "",
        view_box=f"0 0 {width} {STRIP_HEIGHT}",
        bars=tuple(bars),
        laps=tuple(lap_cell(lap) for lap in run.laps),
    )
