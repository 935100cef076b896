"""Views of race control in the states of a run: waiting, armed, staged, running, over, paused; one car and more."""

from dataclasses import replace

from station.views.procedure_view import PauseView, ProcedureView, RunProcedure, StagedStartView, Submission
from station.views.queue_view import QueueLine, QueueView
from station.views.race_views import RunView
from station.views.views import View
from tests.station.web.extreme_views import NAMES
from tests.station.web.sample_views import CAR, LAPS, RUN, SPARE, STOPPED, TOGETHER, VIEW, S, on_track

NOON_NS = 1_790_000_000 * S
WAITING = ("Katherine Johnson", NAMES[0], "Grace Hopper", NAMES[3], "Alan Turing", "Edsger Dijkstra", "Al")


def queue(*racers: str, called: bool = False) -> QueueView:
    """These racers wait, four minutes apart; `called`: the first is called."""
    lines = (
        QueueLine(
            racer,
            place,
            NOON_NS + place * 240 * S,
            late_min=4 if place == 2 else 0,
            called=called and place == 1,
            no_shows=int(place == 4),
            replaces="run-3" if place == 3 else "",
        )
        for place, racer in enumerate(racers, 1)
    )
    return QueueView(tuple(lines), NOON_NS)


def with_runs(view: View, *runs: RunView, submission: Submission = "", start: StagedStartView | None = None) -> View:
    """The view with these runs, each with its procedure."""
    procedures = tuple(
        RunProcedure(run.run_id, run.racer, run.car, run.without_agent, start=start, submission=submission)
        for run in runs
    )
    on = tuple(run for run in runs if run.phase != "finished")
    return replace(view, run=runs[-1], runs=on, procedure=replace(view.procedure, runs=procedures))


QUEUED = replace(VIEW, queue=queue(*WAITING), run=None, procedure=ProcedureView())
CALLED = replace(QUEUED, queue=queue(*WAITING, called=True))
ARMED_RUN = replace(
    RUN,
    phase="armed",
    released=False,
    laps=(),
    lap_number=0,
    lap_started_ns=None,
    ends_ns=None,
    score_ms=None,
    proposals=(),
    lap_off_tracks=0,
)
ONE = with_runs(QUEUED, RUN)
ARMED = replace(with_runs(QUEUED, ARMED_RUN), cars=(replace(CAR, mode="ready"), SPARE))
STAGED = with_runs(ARMED, ARMED_RUN, start=StagedStartView(202 * S, 208 * S))
OVER = with_runs(
    QUEUED,
    replace(RUN, phase="finished", finished_reason="all laps done", proposals=(), lap_started_ns=None, ends_ns=None),
    submission="waiting",
)
PAUSED = replace(ONE, procedure=replace(ONE.procedure, paused=PauseView("Nadia", "a cable", NOON_NS)))
THREE = with_runs(replace(TOGETHER, queue=queue(*WAITING)), *TOGETHER.runs)
SIX = with_runs(
    replace(THREE, race=replace(TOGETHER.race, cars_on_track=6)),  # type: ignore[type-var]
    *(on_track(7 + n, racer, f"car-{n + 1}", LAPS[: n % 4]) for n, racer in enumerate(WAITING[1:])),
)
STATES = {
    "queued": QUEUED,
    "called": CALLED,
    "armed": ARMED,
    "staged": STAGED,
    "one": ONE,
    "over": OVER,
    "paused": PAUSED,
    "three": THREE,
    "six": SIX,
    "stopped": replace(ONE, stop=STOPPED),
}
