"""The commands of a run's procedure and of the pause; starts.py, pause.py and submission.py carry them out."""

from dataclasses import dataclass

from station.core.moment import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRun(Command):
    """Starts the armed run by the start lights: five are lit one after the other, and when they go out, it may go.

    `delay_ms`: how long all five stay lit, 200 to 3000; drawn at random by the service, which overwrites it.
    `by_hand`: as in StartRun. `run_id` "": the only run that is on, here and below.
    """

    run_id: str = ""
    by_hand: bool = False
    delay_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaunch(Command):
    """Takes the start back while the car has not crossed the line: the run is armed again, as if just opened.

    While the start lights are on, it only ends them.
    """

    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRace(Command):
    """Pauses the race: no start is given, and the time limits of its runs stand still. Laps go on being timed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinueRace(Command):
    """Ends the pause of the race."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkDnf(Command):
    """Ends the run now because it did not finish; it uses an attempt, and the laps that it has count."""

    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitRun(Command):
    """Submits the result of a run that is over: from now on it counts in the standings, and is posted."""

    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardRun(Command):
    """The run does not count; it stays in the archive, and SubmitRun makes it count again."""

    run_id: str = ""
