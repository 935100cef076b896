"""The texts of the page of one run: its head, laps, questions, and the history of its rulings. Pure."""

import time
from dataclasses import dataclass

from shared.rules.ranking import lap_time_ns, successful
from shared.rules.wording import IN_DOUBT, INCIDENTS, NOT_COUNTED, VALID, VOID, incidents, rules_line, score_name
from shared.text import joined, recorded, text
from shared.units import NS_PER_S, format_ms, format_ns, published_ms
from station.core.facts import Lap
from station.core.runs.laps import run_lap
from station.views.runs.run_archive import CrossingView, RulingRecord, RunPage
from station.web.pages.run.trace_lanes import TraceModel, trace_model
from station.web.pages.runs.presenter import STATE_WORDS, RunState, figure, marks, state_of
from station.web.presenters.laps import NOTHING, TIMED_BY_HAND
from station.web.presenters.proposals import PendingDecision, decisions_of
from station.web.presenters.time_zones import time_of_day

SHOWN_SHA = 6


@dataclass(frozen=True, slots=True)
class WitnessChoice:
    """Another witness of a crossing: its name in commands, and what it gives in words."""

    witness: str
    words: str


@dataclass(frozen=True, slots=True)
class RunBeginning:
    """The crossing that began lap 1, in ns of the gate's clock as text, and what other witnesses give for it."""

    at_ns: str
    by_signal: bool
    choices: tuple[WitnessChoice, ...]


@dataclass(frozen=True, slots=True)
class RunLapLine:
    """One lap. `void`: an official voided it. `began_ns`, `ended_ns`: its crossings on the gate's clock, as text.

    `choices`: what other witnesses give for the crossing that ended it; `splits`: hand times within it, in ns as text.
    """

    key: str
    number: int
    time: str
    penalty: str
    sign: str
    status: str
    tone: str
    detail: str
    source: str
    in_window: bool
    void: bool
    held: bool
    began_ns: str
    ended_ns: str
    choices: tuple[WitnessChoice, ...]
    splits: tuple[tuple[str, str], ...]
    happened: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RulingLine:
    """One ruling in the history."""

    key: str
    at: str
    who: str
    words: str
    reason: str
    effect: str
    undone: bool
    undoes: bool


@dataclass(frozen=True, slots=True)
class RunSheet:
    """The whole page. `locked`: why no ruling is possible, "" if rulings are.

    `black_box`: where the car's own recording is.
    """

    run_id: str
    race_id: str
    racer: str
    state: RunState
    facts: tuple[str, ...]
    score_name: str
    score: str
    place: str
    marks: tuple[str, ...]
    rules: str
    laps: tuple[RunLapLine, ...]
    started: RunBeginning | None
    decisions: tuple[PendingDecision, ...]
    rulings: tuple[RulingLine, ...]
    trace: TraceModel
    locked: str
    official: str
    race_official: str
    disqualified: str
    counts: bool
    on: bool
    model: str
    uncertainty: str
    black_box: str


def run_sheet(page: RunPage) -> RunSheet:
    """The page of a run, for officials; the template leaves out what is theirs on the public page."""
    run = page.summary
    lines = tuple(_lap_line(page, lap) for lap in page.laps)
    at_ns = {each.number: each for each in page.crossings}
    worst_ns = max((lap.uncertainty_ns for lap in page.laps if lap.valid), default=0)
    sha = f" {page.model_sha256[:SHOWN_SHA]}" if page.model_sha256 else ""
    return RunSheet(
        run_id=run.run_id,
        race_id=run.race_id,
        racer=run.racer,
        state=STATE_WORDS[state_of(run)],
        facts=(
            run.run_id,
            run.race_name or run.race_id,
            text("Attempt {number}", number=run.attempt),
            run.car,
            time_of_day(run.opened_utc_ns),
            *([TIMED_BY_HAND] if run.hand_timed else []),
        ),
        score_name=score_name(page.rules),
        score=figure(run.score_ms),
        place="" if page.place is None else text("Place {place}", place=page.place),
        marks=marks(run),
        rules=rules_line(page.rules),
        laps=lines,
        started=_start(at_ns.get(0)),
        decisions=tuple(decisions_of(page, page.proposals, page.flagged_ns)),
        rulings=tuple(_ruling_line(each) for each in reversed(page.rulings)),
        trace=trace_model(page.trace),
        locked=_locked(page),
        official=run.official,
        race_official=page.race_official,
        disqualified=run.disqualified,
        counts=run.counts,
        on=run.phase in ("armed", "running"),
        model=f"{page.model}{sha}",
        uncertainty=_uncertainty(worst_ns),
        black_box=_black_box(page),
    )


def _lap_line(page: RunPage, lap: Lap) -> RunLapLine:
    counted = run_lap(lap)
    counts = successful(counted, page.rules)
    time_ns = lap_time_ns(counted, page.rules)
    status = IN_DOUBT if lap.held else VOID if not lap.valid else VALID if counts else NOT_COUNTED
    added_ms = published_ms(time_ns) - published_ms(lap.lap_ns)
    crossing = next((each for each in page.crossings if each.number == lap.number), None)
    voided = not lap.valid and not lap.held and lap.lap_ns > 0
    counts_of = (lap.off_tracks, lap.collisions, lap.resets)
    remarks = [*incidents(counted), *([recorded(lap.reason)] if lap.reason else []), *_restored(page, lap)]
    return RunLapLine(
        key=f"run-lap-{lap.number}",
        number=lap.number,
        time=format_ns(time_ns) if lap.lap_ns else NOTHING,
        penalty=f"+{format_ms(added_ms)}" if added_ms else "",
        sign=status.sign,
        status=status.words,
        tone=status.tone,
        detail=joined(remarks, ", "),
        source=SOURCES[lap.source],
        in_window=page.first_lap <= lap.number <= page.last_lap,
        void=voided,
        held=lap.held,
        began_ns=str(lap.ended_ns - lap.lap_ns),
        ended_ns=str(lap.ended_ns),
        choices=_choices(crossing),
        splits=tuple(
            (str(at_ns), format_ns(at_ns - (lap.ended_ns - lap.lap_ns)))
            for at_ns in page.hand_times_ns
            if lap.ended_ns - lap.lap_ns < at_ns < lap.ended_ns
        ),
        happened=tuple((kind, named.one) for (kind, named), n in zip(INCIDENTS.items(), counts_of, strict=True) if n),
    )


def _restored(page: RunPage, lap: Lap) -> list[str]:
    """That a lap which counts was void for a while: its restoration stands among the rulings that were not undone."""
    words = text("Restore lap {number}", number=lap.number)
    stands = any(ruling.words == words and not ruling.undone_by for ruling in page.rulings)
    return [text("restored by an official")] if stands and lap.valid else []


SOURCES = {
    "gate": text("gate"),
    "official": text("official"),
    "system_b": text("system B"),
    "hand": text("by hand"),
    "car": text("car"),
}
_WITNESSES = {
    "gate": text("the gate again"),
    "car": text("the car"),
    "hand": text("the hand time"),
    "system_b": text("system B"),
}


def _choices(crossing: CrossingView | None) -> tuple[WitnessChoice, ...]:
    if crossing is None:
        return ()
    return tuple(
        WitnessChoice(
            each.witness,
            text(
                "by {witness}: {moved} s, ±{uncertainty} s",
                witness=_WITNESSES[each.witness],
                moved=_signed(each.at_ns - crossing.at_ns),
                uncertainty=_seconds(each.uncertainty_ns),
            ),
        )
        for each in crossing.others
    )


def _start(crossing: CrossingView | None) -> RunBeginning | None:
    if crossing is None:
        return None
    by_signal = crossing.crossing == 0 and crossing.source == "official"
    return RunBeginning(str(crossing.at_ns), by_signal, _choices(crossing))


def _ruling_line(ruling: RulingRecord) -> RulingLine:
    who = text("{author} on {device}", author=ruling.author, device=ruling.device) if ruling.device else ruling.author
    return RulingLine(
        key=f"ruling-{ruling.seq}",
        at=time_of_day(ruling.utc_ns),
        who=who,
        words=ruling.words,
        reason=recorded(ruling.reason),
        effect="" if ruling.effect is None else ruling.effect.sentence,
        undone=ruling.undone_by > 0,
        undoes=ruling.undoes > 0,
    )


def _black_box(page: RunPage) -> str:
    """Where the car's own recording of the run is; "" for a car that a person started, which may have no computer."""
    run = page.summary
    if run.by_hand:
        return ""
    begun = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(run.opened_utc_ns // NS_PER_S))
    return text(
        "What {car} saw and did is on the car itself, if it records its drives: in its folder for recordings, in the "
        "first file after {begun}. The station knows no address of a car: copy the file from there, and draw it with "
        "{command}.",
        car=run.car,
        begun=begun,
        command="raceday run plot FILE",
    )


def _locked(page: RunPage) -> str:
    if page.summary.evicted:
        return text("This run is too old for a ruling.")
    if page.race_official:
        return text("The results of this race are official, declared by {author}.", author=page.race_official)
    if page.summary.official:
        return text("This result is official, declared by {author}.", author=page.summary.official)
    return ""


def _uncertainty(worst_ns: int) -> str:
    return text("±{seconds} s", seconds=_seconds(worst_ns)) if worst_ns else ""


def _seconds(ns: int) -> str:
    """An uncertainty in seconds, rounded up to a thousandth."""
    return f"{max(1, -(-ns // 1_000_000)) / 1000:g}"


def _signed(ns: int) -> str:
    sign = "-" if ns < 0 else "+"
    return f"{sign}{format_ns(abs(ns))}"
