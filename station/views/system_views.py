"""Clock, broker, event manager, leaderboard and disk as the pages show them, which are live states."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ClockView:
    """The station's clock, for a lap clock that runs in the browser.

    `rate`: seconds of the station's clock per real second. `trusted`: the time of day (`utc_ns`) is known to be right;
    laps do not depend on it.
    """

    boot: str
    now_ns: int
    utc_ns: int
    rate: float
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class BrokerView:
    """The connection to the MQTT broker; `queued` messages wait to be sent, `dropped` ones were given up.

    `unsafe`: why no run may start, because it enforces no rules; "" if nothing is against it.
    """

    connected: bool
    sentence: str
    queued: int
    dropped: int
    unsafe: str = ""


@dataclass(frozen=True, slots=True)
class ResultProblem:
    """A result that the leaderboard does not have yet, has rejected, or has with another score.

    `state`: "pending", "unknown" (its answer was lost), "rejected" or "other score" (posted, but with another score).
    """

    result_id: str
    revision: int
    state: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ManagerView:
    """The port for an event manager that uses this station as its timer; `listeners`: how many of its pages listen."""

    listening: bool
    listeners: int
    sentence: str


TargetState = Literal["", "ready", "missing", "differs", "unreachable", "unstated"]


@dataclass(frozen=True, slots=True)
class TargetView:
    """Whether the leaderboard is ready for a race; `sentence` says it to officials.

    `state`: "ready": it has the race, with the same rules; "missing": it does not have it, and results wait here;
    "differs": it ranks by other rules (`differences`, each "rule: value there, value here"); "unreachable"; "unstated":
    it answers, but does not say; "": it was not asked yet. `checked_utc_ns`: when it last answered so, or when
    that trouble began.
    """

    race_id: str
    state: TargetState = ""
    sentence: str = ""
    differences: tuple[str, ...] = ()
    checked_utc_ns: int = 0


@dataclass(frozen=True, slots=True)
class SyncView:
    """The results that were ever due, and their state; `sentence`: the newest problem, or that everything is posted.

    `alive`: the sync service runs. `race_unknown`: the leaderboard does not have the race that is on; `target`: a
    sentence on what is known of that race there ("" until it was checked). `targets`: what is known of each race there.
    `configured`: the station has the address of a leaderboard.
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
    targets: tuple[TargetView, ...] = ()
    configured: bool = True

    def target_of(self, race_id: str) -> TargetView:
        """What is known of this race at the leaderboard."""
        return next((each for each in self.targets if each.race_id == race_id), TargetView(race_id))


@dataclass(frozen=True, slots=True)
class StoreView:
    """The journal and its disk: `sentence` is "" while all is well; `held` inputs wait in memory until it is `ok`.

    `records`: how many records the journal has; `head`: the hash of the last one, in hexadecimal.
    """

    ok: bool
    sentence: str
    held: int
    records: int
    head: str
