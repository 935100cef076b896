"""The tables of laps and standings: turns a view into rows of text that a template only prints. Pure."""

from dataclasses import dataclass, replace

from shared.rules.ranking import RaceRules, Score, lap_time_ns, score_run, successful
from shared.rules.wording import (
    BEST_OF_RACE,
    BEST_OF_RUN,
    IN_DOUBT,
    INCIDENTS,
    NOT_COUNTED,
    RACERS_BEST,
    VALID,
    VOID,
    ToneWords,
    incidents,
)
from shared.text import joined, ntext, recorded, text
from shared.units import format_ms, format_ns, published_ms
from station.core.facts import Lap, Source
from station.core.runs.laps import run_lap, run_laps
from station.views.race_views import RaceView, RunView, StandingLine
from station.views.views import View

NOTHING = "–"
MAX_ROWS = 40  # laps of several cars on one table


@dataclass(frozen=True, slots=True)
class LapLine:
    """One lap as the table shows it. `tone` is a colour of the tokens; `sign` and `status` say the same in words.

    With several cars on the track `who` is the racer, and `run_id` names the run in rulings.
    """

    key: str
    number: int
    time: str
    delta: str
    penalty: str
    sign: str
    status: str
    tone: str
    detail: str
    confirmed: bool
    in_window: bool
    valid: bool
    announcement: str
    who: str = ""
    run_id: str = ""
    happened: tuple[tuple[str, str], ...] = ()  # incidents that can be undone: the name in commands, and in words


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """One place in the standings, as the table shows it."""

    key: str
    rank: int
    racer: str
    score: str
    gap: str
    interval: str
    tied: bool
    runs: str
    on_track: bool
    hand_timed: bool = False


TIMED_BY_HAND = text("timed by hand, ±0.1 s")


def window(run: RunView, rules: RaceRules) -> Score | None:
    """The laps that make the score, with the score; None if there is none, or the run does not count."""
    if run.phase == "finished" and not run.counts:
        return None
    return score_run(run_laps(run.laps), rules)


def best_counted_ns(run: RunView, rules: RaceRules) -> int | None:
    """The time of the run's best counted lap in ns, penalties included; None if no lap counts."""
    laps = run_laps(run.laps)
    return min((lap_time_ns(lap, rules) for lap in laps if successful(lap, rules)), default=None)


@dataclass(frozen=True, slots=True)
class ReferenceLaps:
    """The lap times in ns that others are compared with: the best of the race, of the racer, and of this run."""

    race_ns: int | None
    racer_ns: int | None
    run_ns: int | None

    def tone(self, time_ns: int) -> ToneWords:
        """Colour, sign and words of a counted lap: purple leads the race, green is the racer's best, yellow neither."""
        if time_ns == self.race_ns:
            return BEST_OF_RACE
        if time_ns == self.racer_ns:
            return RACERS_BEST
        if time_ns == self.run_ns:
            return (
                BEST_OF_RUN
                if self.racer_ns is None
                else replace(VALID, words=BEST_OF_RUN.words, spoken=BEST_OF_RUN.spoken)
            )
        return VALID


def reference_laps(run: RunView, rules: RaceRules, race: RaceView | None) -> ReferenceLaps:
    """The best laps that this run's laps are compared with; `race_ns` only if this racer holds the race's best lap."""
    leads = race is not None and race.best_racer == run.racer
    return ReferenceLaps(
        race.best_lap_ns if race is not None and leads else None, run.racer_best_ns, best_counted_ns(run, rules)
    )


def lap_lines(run: RunView, rules: RaceRules, race: RaceView | None = None, *, together: bool = False) -> list[LapLine]:
    """The run's laps as lines, newest first. `together`: the table also holds other cars' laps, so racers are named."""
    score = window(run, rules)
    best = reference_laps(run, rules, race)
    lines = []
    for lap in reversed(run.laps):
        in_window = score is not None and score.first_lap <= lap.number <= score.last_lap
        line = _lap_line(lap, rules, best, in_window, run.counts)
        lines.append(_named(line, run) if together else line)
    return lines


def laps_together(runs: tuple[RunView, ...], rules: RaceRules, race: RaceView | None) -> list[LapLine]:
    """The newest laps of all cars on the track, newest first."""
    lines = [
        (lap.ended_utc_ns, line)
        for run in runs
        for lap, line in zip(reversed(run.laps), lap_lines(run, rules, race, together=True), strict=True)
    ]
    return [line for _, line in sorted(lines, key=lambda each: each[0], reverse=True)[:MAX_ROWS]]


def _named(line: LapLine, run: RunView) -> LapLine:
    announcement = text("{racer}: {words}", racer=run.racer, words=line.announcement)
    return replace(
        line, key=f"lap-{run.run_id}-{line.number}", who=run.racer, run_id=run.run_id, announcement=announcement
    )


def _lap_line(lap: Lap, rules: RaceRules, best: ReferenceLaps, in_window: bool, run_counts: bool) -> LapLine:
    counts = successful(run_lap(lap), rules)
    time_ns = lap_time_ns(run_lap(lap), rules)
    status = _status(lap, counts and run_counts, time_ns, best)
    time = format_ns(time_ns) if lap.lap_ns else NOTHING
    slower = counts and best.run_ns is not None and time_ns > best.run_ns
    # The difference of the two published figures, so that anybody can check it.
    delta = f"+{format_ms(published_ms(time_ns) - published_ms(best.run_ns))}" if slower and best.run_ns else ""
    confirmed = text("confirmed by the car") if lap.confirmed else text("not confirmed by the car")
    return LapLine(
        key=f"lap-{lap.number}",
        number=lap.number,
        time=time,
        delta=delta,
        penalty=_penalty(lap, rules),
        sign=status.sign,
        status=status.words,
        tone=status.tone,
        detail=_detail(lap, counts, rules),
        confirmed=lap.confirmed,
        in_window=in_window,
        valid=lap.valid,
        announcement=text(
            "Lap {number}: {time}, {words}, {confirmed}.",
            number=lap.number,
            time=time,
            words=status.spoken,
            confirmed=confirmed,
        ),
        happened=_happened(lap),
    )


def _status(lap: Lap, counts: bool, time_ns: int, best: ReferenceLaps) -> ToneWords:
    if lap.held:
        return IN_DOUBT
    if not lap.valid:
        return VOID
    return best.tone(time_ns) if counts else NOT_COUNTED


def _happened(lap: Lap) -> tuple[tuple[str, str], ...]:
    counts = (lap.off_tracks, lap.collisions, lap.resets)
    return tuple((kind, named.one) for (kind, named), count in zip(INCIDENTS.items(), counts, strict=True) if count)


def _penalty(lap: Lap, rules: RaceRules) -> str:
    with_it, without = published_ms(lap_time_ns(run_lap(lap), rules)), published_ms(lap.lap_ns)
    return f"+{format_ms(with_it - without)}" if with_it != without else ""


def _detail(lap: Lap, counts: bool, rules: RaceRules) -> str:
    parts: list[str] = [*incidents(run_lap(lap))]
    if lap.valid and not counts:
        allowed = rules.max_resets_per_lap
        parts.append(
            ntext("more than {n} reset", "more than {n} resets", n=allowed)
            if allowed is not None and lap.resets > allowed
            else text("under {seconds:g} s", seconds=rules.min_lap_s)
        )
    if lap.source == "hand":
        parts.append(TIMED_BY_HAND)
    if lap.source == "official":
        parts.append(text("timed by an official"))
    if lap.reason and not is_said_by_source(lap.source, lap.reason):
        parts.append(recorded(lap.reason))
    return joined(parts, ", ")


def is_said_by_source(source: Source, reason: str) -> bool:
    """Does the reason of a lap only say what its source says already?"""
    return source == "hand" and reason == "timed by hand"


def place_lines(view: View) -> list[PlaceLine]:
    """The standings as lines, the leader first; racers on the track are marked."""
    runs = view.runs or ((view.run,) if view.run is not None else ())
    racing = {run.racer for run in runs if run.phase in ("armed", "running")}
    return [_place_line(line, line.racer in racing) for line in view.standing]


def _place_line(line: StandingLine, on_track: bool) -> PlaceLine:
    return PlaceLine(
        key=f"place-{line.rank}",
        rank=line.rank,
        racer=line.racer,
        score=format_ms(line.score_ms),
        gap=f"+{format_ms(line.gap_ms)}" if line.rank > 1 else "",
        interval=f"+{format_ms(line.interval_ms)}" if line.rank > 1 else "",
        tied=line.tied,
        runs=ntext("{n} run", "{n} runs", n=line.runs),
        on_track=on_track,
        hand_timed=line.hand_timed,
    )
