"""The lines of the list of runs, and its filters. Pure, except for the time zone."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from shared.text import ntext, text
from shared.units import NS_PER_S, format_ms
from station.views.runs.run_archive import RunSummary
from station.web.presenters.laps import NOTHING
from station.web.presenters.time_zones import time_of_day


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs are listed: by race id, by a part of the racer's name, by state; `flagged`: only those to look at."""

    race: str = ""
    racer: str = ""
    state: str = ""
    flagged: bool = False

    def keeps(self, run: RunSummary) -> bool:
        """Whether the run is listed."""
        return (
            (not self.race or run.race_id == self.race)
            and self.racer.strip().casefold() in run.racer.casefold()
            and (not self.state or state_of(run) == self.state)
            and (not self.flagged or to_look_at(run))
        )


@dataclass(frozen=True, slots=True)
class RunState:
    """The state of a run in words, with its tone of the tokens and its sign."""

    words: str
    tone: str
    sign: str


@dataclass(frozen=True, slots=True)
class RunListLine:
    """One run as the list shows it. `marks`: what an official should look at."""

    key: str
    run_id: str
    at: str
    race: str
    racer: str
    car: str
    attempt: int
    laps: int
    best: str
    score: str
    state: RunState
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunList:
    """The list: its lines, the races to choose from as id and name, and the filter that made it."""

    lines: tuple[RunListLine, ...]
    races: tuple[tuple[str, str], ...]
    chosen: RunFilter
    total: int


STATE_WORDS: dict[str, RunState] = {
    "on": RunState(text("On the track"), "accent", "▶"),
    "finished": RunState(text("Finished"), "", "●"),
    "official": RunState(text("Official"), "green", "✓"),
    "disqualified": RunState(text("Disqualified"), "red", "✕"),
    "abandoned": RunState(text("Does not count"), "red", "✕"),
}


def run_list(runs: Iterable[RunSummary], chosen: RunFilter) -> RunList:
    """The runs that the filter keeps, in their order."""
    every = tuple(runs)
    races = tuple({run.race_id: run.race_name or run.race_id for run in every}.items())
    newest = _day(every[0].opened_utc_ns) if every else ""
    lines = tuple(run_line(run, newest) for run in every if chosen.keeps(run))
    return RunList(lines, races, chosen, len(every))


def run_line(run: RunSummary, newest: str = "") -> RunListLine:
    """One run as a line; with its day, if that is not the day of the newest run ("": it is)."""
    day = _day(run.opened_utc_ns)
    return RunListLine(
        key=f"listed-{run.run_id}",
        run_id=run.run_id,
        at=time_of_day(run.opened_utc_ns) if newest in ("", day) else f"{day} {time_of_day(run.opened_utc_ns)}",
        race=run.race_name or run.race_id,
        racer=run.racer,
        car=run.car,
        attempt=run.attempt,
        laps=run.laps,
        best=figure(run.best_ms),
        score=figure(run.score_ms),
        state=STATE_WORDS[state_of(run)],
        marks=marks(run),
    )


def _day(utc_ns: int) -> str:
    """The day in the station's own time zone, "2026-09-28"."""
    return time.strftime("%Y-%m-%d", time.localtime(utc_ns // NS_PER_S))


def state_of(run: RunSummary) -> str:
    """The state of a run by its name in STATE_WORDS."""
    if run.disqualified:
        return "disqualified"
    if run.phase != "finished":
        return "on"
    if not run.counts:
        return "abandoned"
    return "official" if run.official else "finished"


def to_look_at(run: RunSummary) -> bool:
    """Whether an official may have to decide something about the run."""
    return bool(run.questions or run.flagged)


def marks(run: RunSummary) -> tuple[str, ...]:
    """What stands out about the run, in words."""
    found = [
        ntext("{n} question", "{n} questions", n=run.questions) if run.questions else "",
        ntext("{n} flagged", "{n} flagged", n=run.flagged) if run.flagged else "",
        ntext("{n} void lap", "{n} void laps", n=run.voided) if run.voided else "",
        text("timed by hand") if run.hand_timed else "",
        text("started by hand") if run.by_hand and not run.hand_timed else "",
        text("too old for rulings") if run.evicted else "",
    ]
    return tuple(filter(None, found))


def figure(milliseconds: int | None) -> str:
    """A time of the list; a dash if there is none."""
    return NOTHING if milliseconds is None else format_ms(milliseconds)
