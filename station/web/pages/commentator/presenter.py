"""What a commentator reads: each racer on the track, the history, the last laps against the leader. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.rules.person_names import name_key
from shared.rules.ranking import RaceRules
from shared.rules.wording import rules_line
from shared.text import Sentence, ntext, text
from shared.text.dates import time_of_day
from shared.units import format_ms, format_ns
from station.views.provisional import provisional
from station.views.race_views import RunView
from station.views.trackside.commentary import LapTime, RunLaps
from station.views.trackside.pronunciation import pronunciations
from station.views.views import View
from station.web.page import PageContent
from station.web.pages.chart.presenter import LapChart, consistency, race_chart
from station.web.presenters.laps import LapLine, lap_lines
from station.web.presenters.page import phase_words
from station.web.presenters.sectors import SectorCell, sector_bar
from station.web.presenters.time_zones import event_zone

LAST_LAPS = 5
NEXT = 3
NOTHING = "–"
SHORTEST_BAR = 20  # per cent of the place, for the fastest lap shown: bars compare, they do not measure


@dataclass(frozen=True, slots=True)
class LapBar:
    """A lap as a bar. `percent`: its length in steps of five; `against`: its difference to the reference."""

    number: int
    text: str
    percent: int
    against: str
    tone: str
    sign: str


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """An earlier run of the racer."""

    key: str
    attempt: str
    score: str
    best: str
    laps: str


@dataclass(frozen=True, slots=True)
class RacerStory:
    """A racer on the track, or who was last there.

    `pronounced`: how the name is said, "" if as it is written. `worth`: what the run would be worth if it ended now.
    """

    key: str
    racer: str
    pronounced: str
    car: str
    model: str
    attempt: str
    phase: str
    place: str
    score: str
    best: str
    spread: str
    worth: Sentence
    sectors: tuple[SectorCell, ...]
    last_sectors: tuple[SectorCell, ...]
    bars: tuple[LapBar, ...]
    history: tuple[HistoryLine, ...]


@dataclass(frozen=True, slots=True)
class NextLine:
    """A racer who comes soon. `at`: the predicted start, at the event; `minutes`: until then, at the view's time."""

    place: int
    racer: str
    pronounced: str
    at: str
    minutes: Sentence
    late: Sentence


@dataclass(frozen=True, slots=True)
class AnnouncedLine:
    """A sentence that was announced."""

    key: str
    sentence: str


@dataclass(frozen=True, slots=True)
class CommentatorModel:
    """The whole page. `reference`: what the bars are compared with; `announced`: the newest first."""

    race: str
    rules: str
    record: str
    leader: str
    reference: str
    next: tuple[NextLine, ...]
    stories: tuple[RacerStory, ...]
    announced: tuple[AnnouncedLine, ...]
    chart: LapChart


def commentator_model(view: View) -> CommentatorModel:
    """The commentator's page that shows this view."""
    rules = view.race.rules if view.race is not None else RaceRules()
    reference_ms, reference = _reference(view)
    names = pronunciations(view.event.racers)
    runs = {run.run_id: run for run in (*view.runs, *((view.run,) if view.run is not None else ()))}
    stories = zip(view.commentary.current, view.commentary.histories, strict=True)
    return CommentatorModel(
        race=view.race.name if view.race is not None else text("No race is open."),
        rules=rules_line(rules) if view.race is not None else "",
        record=_record(view),
        leader=_leader(view),
        reference=reference,
        next=_next(view, names),
        stories=tuple(
            _story(view, runs[run.run_id], run, history, reference_ms, names)
            for run, history in stories
            if run.run_id in runs
        ),
        announced=tuple(
            AnnouncedLine(f"announced-{each.number}", each.sentence)
            for each in reversed(view.announcements)
            if each.spoken
        ),
        chart=race_chart(view),
    )


def _next(view: View, names: Mapping[str, str]) -> tuple[NextLine, ...]:
    """The first of the queue, with their predicted starts."""
    zone = event_zone(view)
    lines = []
    for line in view.queue.lines[:NEXT]:
        minutes = max(0, line.start_utc_ns - view.clock.utc_ns) // 60_000_000_000
        lines.append(
            NextLine(
                place=line.place,
                racer=line.racer,
                pronounced=names.get(name_key(line.racer), ""),
                at=time_of_day(line.start_utc_ns, zone, seconds=False),
                minutes=text("now") if line.called else ntext("in {n} minute", "in {n} minutes", n=minutes),
                late=ntext("{n} minute late", "{n} minutes late", n=line.late_min) if line.late_min > 0 else text(""),
            )
        )
    return tuple(lines)


def _record(view: View) -> str:
    if view.race is None or view.race.best_lap_ns is None:
        return NOTHING
    return text("{time} by {racer}", time=format_ns(view.race.best_lap_ns), racer=view.race.best_racer)


def _leader(view: View) -> str:
    if not view.standing:
        return text("Nobody has qualified yet.")
    return text("{racer}, {time}", racer=view.standing[0].racer, time=format_ms(view.standing[0].score_ms))


def _reference(view: View) -> tuple[int | None, str]:
    """The time that laps are compared with, in ms: the average lap of the leader's best run."""
    leader = next(iter(view.commentary.leaders), None)
    average_ms = consistency(leader.laps).average_ms if leader is not None else None
    if leader is None or average_ms is None:
        return None, text("each other: nobody leads yet")
    values = {"racer": leader.racer, "time": format_ms(average_ms)}
    return average_ms, text("the average lap of {racer}, {time}", **values)


def _story(
    view: View,
    shown: RunView,
    run: RunLaps,
    history: tuple[RunLaps, ...],
    reference_ms: int | None,
    names: Mapping[str, str],
) -> RacerStory:
    even = consistency(run.laps)
    rules = view.race.rules if view.race is not None else RaceRules()
    place = next((line for line in view.standing if line.racer == run.racer), None)
    ranked = text("{place} of {racers}", place=place.rank, racers=len(view.standing)) if place else ""
    return RacerStory(
        key=f"story-{run.run_id}",
        racer=run.racer,
        pronounced=names.get(name_key(run.racer), ""),
        car=shown.car,
        model=shown.model,
        attempt=text("Attempt {attempt}", attempt=run.attempt),
        phase=phase_words(shown, view.cars),
        place=ranked or text("not ranked yet"),
        score=format_ms(shown.score_ms) if shown.score_ms is not None else NOTHING,
        best=format_ns(shown.racer_best_ns) if shown.racer_best_ns is not None else NOTHING,
        spread=NOTHING if even.spread_ms is None else f"±{format_ms(even.spread_ms)}",
        worth=provisional(view, shown).words if shown.phase == "running" else text(""),
        sectors=sector_bar(shown.sectors),
        last_sectors=sector_bar(shown.last_sectors),
        bars=_bars(run.laps[-LAST_LAPS:], lap_lines(shown, rules, view.race), reference_ms),
        history=tuple(_history(each) for each in history),
    )


def _bars(laps: tuple[LapTime, ...], lines: Sequence[LapLine], reference_ms: int | None) -> tuple[LapBar, ...]:
    """The laps as bars, newest first; sign and colour mean what they mean everywhere, as `lines` has them."""
    times = [lap.lap_ms for lap in laps] + ([reference_ms] if reference_ms is not None else [])
    if not times:
        return ()
    low, high = min(times), max(times)
    known = {line.number: line for line in lines}
    return tuple(_bar(lap, known.get(lap.number), low, high, reference_ms) for lap in reversed(laps))


def _bar(lap: LapTime, line: LapLine | None, low: int, high: int, reference_ms: int | None) -> LapBar:
    share = (lap.lap_ms - low) * (100 - SHORTEST_BAR) // (high - low) if high > low else 100 - SHORTEST_BAR
    percent = 5 * ((SHORTEST_BAR + share) // 5)
    against = ""
    if reference_ms is not None:
        difference = lap.lap_ms - reference_ms
        against = f"+{format_ms(difference)}" if difference > 0 else f"−{format_ms(-difference)}"
    tone, sign = ("", "") if line is None else (line.tone, line.sign)
    return LapBar(lap.number, format_ms(lap.lap_ms), percent, against, tone, sign)


def _history(run: RunLaps) -> HistoryLine:
    even = consistency(run.laps)
    score: str
    if not run.counts:
        score = text("does not count")
    else:
        score = format_ms(run.score_ms) if run.score_ms is not None else text("no score")
    return HistoryLine(
        key=f"history-{run.run_id}",
        attempt=text("Attempt {attempt}", attempt=run.attempt),
        score=score,
        best=NOTHING if even.best_ms is None else format_ms(even.best_ms),
        laps=str(len(run.laps)),
    )


COMMENTATOR = PageContent(
    commentator_model,
    ("facts", "next_three", "chart_table"),
    {"stories": "story", "announced": "sentence_row"},
    macros="commentator_parts.html",
)
