"""A racer's page on the leaderboard as words and figures: the place, and every run with its laps."""

from dataclasses import dataclass

from leaderboard.core.rank import Attempt
from leaderboard.core.states import AttemptState
from leaderboard.pages.attempts.views import STATES
from leaderboard.pages.views import RaceHeaderView, lap_remark, published_note, race_view, run_key
from leaderboard.pages.wording import minute_text
from leaderboard.scored_laps import lap_shape, utc_text
from leaderboard.snapshots import RacerRuns
from shared.protocol.results import Result
from shared.rules.ranking import RaceRules, RunLap, score_run, successful
from shared.text import Sentence, ntext, recorded, text
from shared.units import format_ms


@dataclass(frozen=True, slots=True)
class RacerLapView:
    """A lap of a run. `counts`: it may be part of a score; `in_score`: it is."""

    number: int
    time: str
    counts: bool
    in_score: bool
    note: str


@dataclass(frozen=True, slots=True)
class RacerRunView:
    """A run. `key`: the id of its element; `best`: it holds the place; `score` "": it has none.

    `state_text` "": it is ranked. `reason`: why it is not, for the racer and officials alone.
    """

    key: str
    run_id: str
    score: str
    best: bool
    state: AttemptState
    state_text: str
    reason: str
    set_at: str
    set_at_text: str
    with_what: str
    corrected: bool
    published: str
    laps: tuple[RacerLapView, ...]


@dataclass(frozen=True, slots=True)
class RacerView:
    """The whole page. `place` None: no run has qualified."""

    race: RaceHeaderView
    name: str
    place: int | None
    of: Sentence
    score: str
    gap: str
    runs: tuple[RacerRunView, ...]


def racer_view(racer: RacerRuns, now_utc_ns: int, whole: bool = False) -> RacerView:
    """The page of this racer in this race. `whole`: with the runs that never made a score, and why none counts."""
    snapshot, placed = racer.race, racer.row.placed if racer.row is not None else None
    best = racer.row.result.result_id if racer.row is not None else ""
    return RacerView(
        race=race_view(snapshot.race, snapshot.racers, snapshot.results, now_utc_ns),
        name=racer.name,
        place=None if placed is None else placed.rank,
        of=ntext("of {n} racer", "of {n} racers", n=snapshot.racers),
        score="" if placed is None else format_ms(placed.score_ms),
        gap="" if placed is None or placed.rank == 1 else text("+{time} to the lead", time=format_ms(placed.gap_ms)),
        runs=tuple(
            _run(attempt, result, snapshot.race.rules, result.result_id == best, whole)
            for attempt, result in racer.runs
            if whole or attempt.state != "unqualified"
        ),
    )


def _run(attempt: Attempt, result: Result, rules: RaceRules, best: bool, whole: bool) -> RacerRunView:
    score = score_run(result.laps, rules) if attempt.score_ms is not None else None
    window = range(score.first_lap, score.last_lap + 1) if score is not None else range(0)
    set_at = utc_text(attempt.finished_utc_ns)
    return RacerRunView(
        key=run_key(result),
        run_id=result.run_id,
        score="" if attempt.score_ms is None else format_ms(attempt.score_ms),
        best=best,
        state=attempt.state,
        state_text="" if attempt.state == "ranked" else STATES[attempt.state],
        reason=recorded(attempt.reason) if whole else "",
        set_at=set_at,
        set_at_text=minute_text(attempt.finished_utc_ns),
        with_what=" · ".join(each for each in (result.car, result.model) if each),
        corrected=result.revision > 1,
        published=published_note(result),
        laps=tuple(_lap(lap, rules, lap.number in window) for lap in result.laps),
    )


def _lap(lap: RunLap, rules: RaceRules, in_score: bool) -> RacerLapView:
    shape = lap_shape(lap, rules)
    return RacerLapView(lap.number, shape.lap, successful(lap, rules), in_score, lap_remark(shape))
