"""Clock, broker, event manager, leaderboard and disk as the pages show them: live states."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClockView:
    """For a lap clock that runs in the browser: `rate` is seconds of the station's clock per real second.

    `trusted` False: the time of day is not known to be right (`utc_ns`); laps are measured by another clock.
    """

    boot: str
    now_ns: int
    utc_ns: int
    rate: float
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class BrokerView:
    """The wire."""

    connected: bool
    sentence: str
    queued: int
    dropped: int


@dataclass(frozen=True, slots=True)
class ResultProblem:
    """A result that the leaderboard has not, will not have, or counts as another score.

    `state`: pending, unknown (its answer was lost), rejected, or other score (posted with another score than ours).
    """

    result_id: str
    revision: int
    state: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ManagerView:
    """The port for an event manager that takes this station for its timer; how many of its pages listen."""

    listening: bool
    listeners: int
    sentence: str


@dataclass(frozen=True, slots=True)
class SyncView:
    """What became of the results that were due; `sentence` is the newest trouble, or that all is posted.

    `race_unknown`: the leaderboard reports that it does not have the race that is on; `target` is what is known of
    it there ("" if it was not asked yet).
    """

    due: int
    posted: int
    pending: int
    rejected: int
    alive: bool
    sentence: str
    troubles: tuple[ResultProblem, ...] = ()
    race_unknown: bool = False
    target: str = ""


@dataclass(frozen=True, slots=True)
class StoreView:
    """The disk: `sentence` is "" while all is well; `held` inputs wait in memory, unacknowledged, until it is `ok`."""

    ok: bool
    sentence: str
    held: int
    records: int
    head: str
