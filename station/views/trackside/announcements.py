"""What is announced to the hall, and when: each lap, best, leader, racer and end once, and never what may still change.

Called by the publisher after a commit; screens speak what `newest` holds, or sound its tone (web/static/sound.js).
A lap that is held, or that a question is open about, is announced once an official has decided. What a ruling changes
after that is corrected aloud. Nothing that was over before a start of the station is announced.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.rules.ranking import Placed, lap_time_ns
from shared.text import text
from shared.units import published_ms
from station.core import facts as f
from station.core.moment import Moment
from station.core.race.race import Race
from station.core.runs.laps import run_lap
from station.core.runs.run import Run
from station.views.best_laps import BestLaps
from station.views.projection import is_open_proposal

AnnouncementKind = Literal[
    "lap", "own_best", "best", "leader", "next", "go", "time_up", "end", "correction", "false_start", "pause"
]
News = tuple[AnnouncementKind, str, str]  # kind, sentence, run id or ""
KEPT = 12  # announcements that a screen which was away for a moment can still catch up with
QUIET_NS = 2_500_000_000  # a plain lap is not spoken this soon after anything else: only its tone sounds


@dataclass(frozen=True, slots=True)
class Announcement:
    """One announcement. `number` counts them since the station's start; `at_ns` is on the station's clock.

    `spoken` False: only its tone sounds. `race_id` and `run_id`: what it is about, "" if nothing.
    """

    number: int
    kind: AnnouncementKind
    sentence: str
    at_ns: int
    spoken: bool = True
    race_id: str = ""
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class _LapFigure:
    """A lap as it was announced: its published time with penalties, and whether it counts."""

    ms: int
    valid: bool


class Announcer:
    """Decides what is announced. `newest`: the last few announcements, oldest first."""

    def __init__(self) -> None:
        self.newest: tuple[Announcement, ...] = ()
        self._count = 0
        self._race_id = ""
        self._laps: dict[str, dict[int, _LapFigure]] = {}  # run id -> lap number -> as announced
        self._scores: dict[str, int | None] = {}  # run id -> score (ms) as announced; None: it has none
        self._leader = ""
        self._lines: tuple[Placed, ...] = ()
        self._best_ns: int | None = None
        self._own_ns: dict[str, int | None] = {}
        self._spoken_ns: int | None = None

    def resume(self, race: Race | None, bests: BestLaps) -> None:
        """Takes everything so far as announced: after a start, and when another race is opened."""
        self._laps, self._scores, self._own_ns = {}, {}, {}
        self._race_id = "" if race is None else race.info.race_id
        self._lines = () if race is None else race.standings.lines()
        self._leader = self._lines[0].racer if self._lines else ""
        for run in () if race is None else race.runs.values():
            self._laps[run.run_id] = {lap.number: _figure(run, lap) for lap in run.book.laps()}
            if _has_ended(run):
                self._scores[run.run_id] = _score_ms(run)
        self._remember_bests(race, bests)

    def update(self, race: Race | None, facts: Sequence[f.Fact], bests: BestLaps, now: Moment) -> bool:
        """Announces what follows from the facts of one input; True if `newest` changed.

        `bests`: the race's best laps, with these facts.
        """
        if race is None or race.info.race_id != self._race_id:
            self.resume(race, bests)
            return False
        before = self._count
        for kind, sentence, run_id in self._due(race, facts, bests):
            self._add(kind, sentence, now.at_ns, run_id)
        self._remember_bests(race, bests)
        return self._count != before

    def _due(self, race: Race, facts: Sequence[f.Fact], bests: BestLaps) -> Iterator[News]:
        for fact in facts:
            if isinstance(fact, f.StandingChanged):
                self._lines = fact.lines
            elif (news := _race_news(fact) or _run_news(race, fact)) is not None:
                yield news
            elif isinstance(fact, f.RunReassigned) and self._laps.get(fact.run_id):
                sentence = text("Correction: {was}'s run was {racer}'s.", was=fact.was, racer=fact.racer)
                yield "correction", sentence, fact.run_id
        scored = set(self._scores)
        for run_id in dict.fromkeys(filter(None, map(_run_of, facts))):
            if (run := race.runs.get(run_id)) is not None:
                yield from self._laps_of(run, bests)
                yield from self._end_of(run)
        yield from self._lead(race, self._scores.keys() - scored)

    def _laps_of(self, run: Run, bests: BestLaps) -> Iterator[News]:
        """The run's laps that are settled and not announced yet, and corrections of those that were."""
        known, changed = self._laps.setdefault(run.run_id, {}), list[str]()
        laps = run.book.laps()
        changed += [str(number) for number in sorted(known) if number > len(laps)]
        for number in [number for number in known if number > len(laps)]:
            del known[number]
        for lap in laps:
            figure = _figure(run, lap)
            if known.get(lap.number) == figure or _may_change(run, lap):
                continue
            new, known[lap.number] = lap.number not in known, figure
            if not new:
                changed.append(_correction(lap.number, figure))
            elif figure.valid:
                yield self._lap(run, lap, figure, bests)
        if len(changed) == 1 and not changed[0].isdecimal():
            yield "correction", text("Correction for {racer}: {what}", racer=run.racer, what=changed[0]), run.run_id
        elif changed:
            yield "correction", text("Correction: the laps of {racer} have changed.", racer=run.racer), run.run_id

    def _lap(self, run: Run, lap: f.Lap, figure: _LapFigure, bests: BestLaps) -> News:
        values = {"racer": run.racer, "lap": lap.number, "time": spoken_time(figure.ms)}
        counted_ns, best, own_ns = _counted_ns(run, lap), bests.of_race(), bests.of_racer(run.racer)
        before_ns, own_before_ns = self._best_ns, self._own_ns.get(run.racer)
        fastest = best is not None and best.lap_ns == counted_ns and best.racer == run.racer
        if fastest and before_ns is not None and counted_ns < before_ns:
            return "best", text("{racer}, lap {lap}: {time}. The fastest lap of the race!", **values), run.run_id
        if own_ns == counted_ns and own_before_ns is not None and counted_ns < own_before_ns:
            return "own_best", text("{racer}, lap {lap}: {time}. Own best.", **values), run.run_id
        return "lap", text("{racer}, lap {lap}: {time}.", **values), run.run_id

    def _end_of(self, run: Run) -> Iterator[News]:
        """The end of a run with its score, once nothing about it is open; and a correction if the score changes."""
        if not _has_ended(run) or not _is_settled(run):
            return
        score_ms = _score_ms(run)
        if run.run_id not in self._scores:
            self._scores[run.run_id] = score_ms
            yield "end", self._end(run, score_ms), run.run_id
        elif self._scores[run.run_id] != score_ms:
            self._scores[run.run_id] = score_ms
            if score_ms is None:
                what = text("the run has no score now.")
            else:
                what = text("the score is {time} now.", time=spoken_time(score_ms))
            yield "correction", text("Correction for {racer}: {what}", racer=run.racer, what=what), run.run_id

    def _end(self, run: Run, score_ms: int | None) -> str:
        if run.dnf:
            return text("{racer} did not finish.", racer=run.racer)
        if not run.counts:
            return text("{racer}'s run has ended; it does not count.", racer=run.racer)
        if score_ms is None:
            return text("{racer} has finished without a score.", racer=run.racer)
        values = {"racer": run.racer, "time": spoken_time(score_ms)}
        place = next((line for line in self._lines if line.racer == run.racer), None)
        takes_lead = place is not None and place.rank == 1 and run.racer != self._leader
        if place is None or place.score_ms != score_ms or takes_lead:
            return text("{racer} has finished with {time}.", **values)
        return text("{racer} has finished with {time}: place {place}.", place=place.rank, **values)

    def _lead(self, race: Race, ended: Collection[str]) -> Iterator[News]:
        """A new leader, once nothing about the run that made him one is open."""
        leader = self._lines[0] if self._lines else None
        if leader is None or leader.racer == self._leader:
            self._leader = leader.racer if leader is not None else ""
            return
        run = race.runs.get(race.standings.run_behind(leader.racer))
        if run is not None and not _is_settled(run):
            return
        self._leader = leader.racer
        if run is not None and run.run_id in ended:
            yield "leader", text("{racer} takes the lead!", racer=leader.racer), run.run_id
            return
        sentence = text("{racer} leads with {time}.", racer=leader.racer, time=spoken_time(leader.score_ms))
        yield "leader", sentence, run.run_id if run is not None else ""

    def _add(self, kind: AnnouncementKind, sentence: str, now_ns: int, run_id: str) -> None:
        self._count += 1
        spoken = kind != "go"
        if kind == "lap" and self._spoken_ns is not None:
            spoken = not 0 <= now_ns - self._spoken_ns < QUIET_NS
        if spoken:
            self._spoken_ns = now_ns
        made = Announcement(self._count, kind, sentence, now_ns, spoken, self._race_id, run_id)
        self.newest = (*self.newest, made)[-KEPT:]

    def _remember_bests(self, race: Race | None, bests: BestLaps) -> None:
        best = bests.of_race()
        self._best_ns = None if best is None else best.lap_ns
        for run in () if race is None else [*race.on_track, *([race.last] if race.last is not None else [])]:
            self._own_ns[run.racer] = bests.of_racer(run.racer)


def _race_news(fact: f.Fact) -> News | None:
    """What this fact alone gives reason to announce about the race; None: nothing."""
    match fact:
        case f.RacerCalled():
            return "next", text("To the start, please: {racer}.", racer=fact.racer), ""
        case f.RacePaused():
            return "pause", text("The race is paused."), ""
        case f.RaceContinued():
            return "pause", text("The race goes on."), ""
    return None


def _run_news(race: Race, fact: f.Fact) -> News | None:
    """What this fact alone gives reason to announce about its run; None: nothing."""
    match fact:
        case f.RunOpened():
            return "next", text("Next: {racer}.", racer=fact.racer), fact.run_id
        case f.RunReleased():
            return "go", text("Go!"), fact.run_id
        case f.FalseStart():
            return "false_start", text("False start: {racer}.", racer=_racer(race, fact.run_id)), fact.run_id
        case f.TimeUp():
            return "time_up", text("Time is up: the lap in progress still counts."), fact.run_id
    return None


def spoken_time(duration_ms: int) -> str:
    """A time as it is spoken: "9.214", "one minute 2.345", "2 minutes 0.500"."""
    minutes, rest_ms = divmod(duration_ms, 60_000)
    seconds = text("{seconds:.3f}", seconds=rest_ms / 1000)
    if not minutes:
        return seconds
    if minutes == 1:
        return text("one minute {what}", what=seconds)
    return text("{minutes} minutes {what}", minutes=minutes, what=seconds)


def _counted_ns(run: Run, lap: f.Lap) -> int:
    return lap_time_ns(run_lap(lap), run.rules)


def _figure(run: Run, lap: f.Lap) -> _LapFigure:
    return _LapFigure(published_ms(_counted_ns(run, lap)), lap.valid)


def _correction(number: int, figure: _LapFigure) -> str:
    if not figure.valid:
        return text("lap {lap} does not count.", lap=number)
    return text("lap {lap} is {time} now.", lap=number, time=spoken_time(figure.ms))


def _may_change(run: Run, lap: f.Lap) -> bool:
    """Whether the lap may still change: it is held, or an official is asked about a moment within it."""
    begun_ns = lap.ended_ns - lap.lap_ns
    open_ns = [proposal.at_ns for proposal in run.proposals if is_open_proposal(proposal, run)]
    return lap.held or any(begun_ns <= at_ns <= lap.ended_ns for at_ns in open_ns)


def _has_ended(run: Run) -> bool:
    """Whether the run is over and its result is submitted, or it does not count."""
    return run.phase == "finished" and (run.submitted or not run.counts)


def _racer(race: Race, run_id: str) -> str:
    run = race.runs.get(run_id)
    return "" if run is None else run.racer


def _is_settled(run: Run) -> bool:
    asked = any(is_open_proposal(proposal, run) for proposal in run.proposals)
    return not asked and not any(lap.held for lap in run.book.laps())


def _score_ms(run: Run) -> int | None:
    return run.score.score_ms if run.counts and run.score is not None else None


def _run_of(fact: f.Fact) -> str:
    """The run whose laps or score this fact may change; "" if none."""
    match fact:
        case f.LapCompleted(lap) | f.LapAdjusted(lap) | f.LapHeld(lap):
            return lap.run_id
        case (
            f.LapsRecomputed()
            | f.PhaseChanged()
            | f.ProposalDismissed()
            | f.Qualified()
            | f.RunReassigned()
            | f.Incident()
            | f.IncidentTakenBack()
            | f.RunSubmitted()
            | f.RunDiscarded()
        ):
            return fact.run_id
    return ""
