"""Where each run stands in its procedure, as the pages show it: start lights, pause, end and submission. Pure.

Made by publisher.py after a commit.
"""

from dataclasses import dataclass
from typing import Literal

from station.core.inputs import Moment, clock_of
from station.core.race.race import Race
from station.core.race.starts import LIGHT_NS, LIGHTS
from station.core.runs.run import Run

Submission = Literal["", "waiting", "submitted", "discarded"]


@dataclass(frozen=True, slots=True)
class StagedStartView:
    """A start by the lights. Times in ns of the station's clock: the first light was lit at `staged_ns`, one more every
    `light_ns`, and at `go_ns` all `lights` go out, which is the start.
    """

    staged_ns: int
    go_ns: int
    lights: int = LIGHTS
    light_ns: int = LIGHT_NS


@dataclass(frozen=True, slots=True)
class RunProcedure:
    """Where a run stands.

    `without_agent`: its car takes no orders, so that a person starts and stops it. `start_note`: why the last start by
    the lights was not given. `left_ns`: the time that is left of its limit while the race is paused; None: the limit
    runs, or there is none. `submission`: "" while the run is on; `submit_utc_ns`: when the station submits it by itself
    (None: never). `dnf`: it did not finish. `replaces`: the run that is discarded when this one is submitted.
    """

    run_id: str
    racer: str
    car: str
    without_agent: bool = False
    start: StagedStartView | None = None
    start_note: str = ""
    false_starts: int = 0
    left_ns: int | None = None
    submission: Submission = ""
    submit_utc_ns: int | None = None
    dnf: bool = False
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class PauseView:
    """The pause of the race: who began it, when and why."""

    author: str
    reason: str
    since_utc_ns: int


@dataclass(frozen=True, slots=True)
class ProcedureView:
    """The procedure of the race: its pause (None: it goes on), and its runs.

    `runs`: those on the track, those that wait to be submitted, and the last one.
    """

    paused: PauseView | None = None
    runs: tuple[RunProcedure, ...] = ()

    def of(self, run_id: str) -> RunProcedure | None:
        """Where this run stands; None if it is not among them."""
        return next((run for run in self.runs if run.run_id == run_id), None)


def procedure_view(race: Race, now: Moment) -> ProcedureView:
    """The procedure of this race at `now`."""
    last = [race.last] if race.last is not None else []
    runs = {run.run_id: run for run in [*race.on_track, *race.waiting, *last]}
    paused = race.paused
    pause = None
    if paused is not None:
        pause = PauseView(paused.author, paused.reason, race.scale.of_moment(paused.moment))
    return ProcedureView(pause, tuple(_of_run(race, run, now) for run in runs.values()))


def _of_run(race: Race, run: Run, now: Moment) -> RunProcedure:
    staged = run.staged if run.staged is not None and run.staged.moment.boot == now.boot else None
    waits_s = race.info.submit_after_s
    waiting = run in race.waiting
    return RunProcedure(
        run_id=run.run_id,
        racer=run.racer,
        car=run.car,
        without_agent=run.without_agent,
        start=StagedStartView(staged.moment.at_ns, staged.go_ns) if staged is not None else None,
        start_note=run.start_note,
        false_starts=run.false_starts,
        left_ns=_left_ns(run),
        submission=_submission(run, waiting=waiting),
        submit_utc_ns=run.finished_utc_ns + round(waits_s * 1e9) if waiting and waits_s >= 0 else None,
        dnf=run.dnf,
        replaces=run.replaces,
    )


def _submission(run: Run, *, waiting: bool) -> Submission:
    if run.on:
        return ""
    return "waiting" if waiting else "submitted" if run.counts else "discarded"


def _left_ns(run: Run) -> int | None:
    """What was left of the limit when the pause began; None: the run is not paused, or its limit is not known."""
    if run.paused is None or clock_of(run.paused.boot) not in run.clocks:
        return None
    ends_ns = run.ends_ns(run.paused.boot)
    return None if ends_ns is None else max(0, ends_ns - run.paused.at_ns)
