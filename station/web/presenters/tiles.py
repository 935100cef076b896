"""The figures under the clock: laps, last lap, best lap, score, and the time that is left. Pure."""

from dataclasses import dataclass

from shared.rules.ranking import RaceRules
from shared.rules.wording import BEST_OF_RACE, RACERS_BEST, score_name
from shared.text import joined, text
from shared.units import NS_PER_S, format_ms, format_ns, seconds_to_ns
from station.views.race_views import RunView
from station.views.system_views import ClockView
from station.views.views import View
from station.web.presenters.laps import NOTHING, LapLine, best_counted_ns, reference_laps

TIME_LEFT = text("Time left")


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure under the clock."""

    label: str
    value: str
    note: str = ""
    tone: str = ""


def tiles(view: View, rules: RaceRules, laps: list[LapLine]) -> tuple[Tile, ...]:
    """The figures under the clock; without a run they are empty but there, so that nothing moves when one begins."""
    run = view.run
    last = laps[0] if laps else None
    limit = rules.max_laps
    return (
        Tile(
            text("Laps"),
            str(len(laps)) if run is not None else NOTHING,
            text("of {limit}", limit=limit) if limit is not None else "",
        ),
        Tile(text("Last lap"), last.time, joined((last.sign, last.status)), last.tone)
        if last
        else Tile(text("Last lap"), NOTHING),
        best_tile(view, run, rules),
        _score_tile(view, rules),
        *([Tile(TIME_LEFT, _time_left(run, rules, view.clock))] if rules.time_limit_s is not None else []),
    )


def _score_tile(view: View, rules: RaceRules) -> Tile:
    """What the run is worth so far, against the race: purple leads it, green is the racer's best, yellow is neither."""
    label, run = score_name(rules), view.run
    if run is None or run.score_ms is None:
        return Tile(label, NOTHING)
    value = format_ms(run.score_ms)
    leader_ms = view.standing[0].score_ms if view.standing else None
    own_ms = next((line.score_ms for line in view.standing if line.racer == run.racer), None)
    if leader_ms is None or run.score_ms <= leader_ms:
        return Tile(label, value, joined((BEST_OF_RACE.sign, BEST_OF_RACE.words)), "purple")
    gap = text("+{time} to the lead", time=format_ms(run.score_ms - leader_ms))
    if own_ms is None or run.score_ms <= own_ms:
        return Tile(label, value, joined((RACERS_BEST.sign, RACERS_BEST.words, "·", gap)), "green")
    return Tile(label, value, joined(("●", gap)), "yellow")


def _time_left(run: RunView | None, rules: RaceRules, clock: ClockView) -> str:
    if run is None or run.phase == "finished" or rules.time_limit_s is None:
        return NOTHING
    left_ns = seconds_to_ns(rules.time_limit_s) if run.ends_ns is None else max(0, run.ends_ns - clock.now_ns)
    return format_ms(left_ns // NS_PER_S * 1000).removesuffix(".000")


def best_tile(view: View, run: RunView | None, rules: RaceRules) -> Tile:
    """The run's best lap, and whether it is the best of the race or of the racer."""
    best_ns = best_counted_ns(run, rules) if run is not None else None
    if run is None or best_ns is None:
        return Tile(text("Best lap"), NOTHING)
    tone = reference_laps(run, rules, view.race).tone(best_ns)
    if tone.tone == "yellow" or (run.phase == "finished" and not run.counts):
        return Tile(text("Best lap"), format_ns(best_ns))
    return Tile(text("Best lap"), format_ns(best_ns), joined((tone.sign, tone.words)), tone.tone)
