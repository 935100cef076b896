"""A turn in the queue of a LIVE race: who drives in it, how it stands, and which moves there are. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from shared.text import Sentence, text
from shared.units import NS_PER_S

QueueState = Literal["pending", "called", "countdown", "running", "done", "failed", "skipped"]
QueueMove = Literal["call", "uncall", "launch", "cancel", "start", "finish", "fail", "skip", "relaunch", "return"]

PlainMove = Literal["call", "uncall", "cancel", "finish", "fail", "skip", "return"]  # those that start nobody

# (state, what is done) -> the state then. What is not here is refused.
QUEUE_MOVES: Mapping[tuple[QueueState, QueueMove], QueueState] = {
    ("pending", "call"): "called",
    ("called", "uncall"): "pending",
    ("pending", "launch"): "countdown",
    ("called", "launch"): "countdown",
    ("countdown", "cancel"): "called",
    ("countdown", "start"): "running",  # by the clock
    ("running", "finish"): "done",  # by the clock, or by an official
    ("countdown", "fail"): "failed",
    ("running", "fail"): "failed",
    ("pending", "skip"): "skipped",
    ("called", "skip"): "skipped",
    ("countdown", "relaunch"): "countdown",
    ("running", "relaunch"): "countdown",
    ("failed", "relaunch"): "countdown",
    ("done", "relaunch"): "countdown",
    ("skipped", "relaunch"): "countdown",
    ("failed", "return"): "pending",
    ("skipped", "return"): "pending",
    ("done", "return"): "pending",
}
QUEUE_STATES: tuple[QueueState, ...] = get_args(QueueState)
PLAIN_MOVES: tuple[PlainMove, ...] = get_args(PlainMove)
WAITING: frozenset[QueueState] = frozenset({"pending", "called"})
ON_TRACK: frozenset[QueueState] = frozenset({"countdown", "running"})

COUNTDOWN_NS = 10 * NS_PER_S
MIN_RUN_S, MAX_RUN_S, DEFAULT_RUN_S = 60, 600, 180
MIN_PERCENT, MAX_PERCENT, FULL_PERCENT = 50, 150, 100


@dataclass(frozen=True, slots=True)
class TurnCar:
    """One car of a turn: whose it is, how its speed is scaled, and the submission whose model drives it."""

    racer: str
    name: str
    account_id: str
    speed_percent: int
    submission_id: str


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A racer's turn. `key` orders the queue; `speed_percent` scales the model's speed, never its steering.

    `run_time_s` is fixed at the launch. `launches` counts them; `reason` says why it failed, was skipped, or was won.
    In a virtual race `driver` is the node of a farm that drives the last launch, with the model of `submission_id`.

    With a `rival` it is a heat: both drive at once, the first of them starts in front, and `ahead` is the racer who
    won the last launch, "" before that or if they were level. `heat` is its number in the bracket, if it is of one.
    """

    item_id: str
    racer: str
    name: str
    key: int
    account_id: str = ""
    state: QueueState = "pending"
    launched_utc_ns: int | None = None
    ended_utc_ns: int | None = None
    run_time_s: int = DEFAULT_RUN_S
    speed_percent: int = FULL_PERCENT
    launches: int = 0
    reason: str = ""
    driver: str = ""
    submission_id: str = ""
    rival: str = ""
    rival_name: str = ""
    rival_account_id: str = ""
    rival_speed_percent: int = FULL_PERCENT
    rival_submission_id: str = ""
    ahead: str = ""
    bracket_id: str = ""
    heat: int = 0

    @property
    def cars(self) -> tuple[TurnCar, ...]:
        """Who drives in this turn: one, or the two of a heat."""
        first = TurnCar(self.racer, self.name, self.account_id, self.speed_percent, self.submission_id)
        if not self.rival:
            return (first,)
        second = TurnCar(
            self.rival, self.rival_name, self.rival_account_id, self.rival_speed_percent, self.rival_submission_id
        )
        return (first, second)

    @property
    def names(self) -> str:
        """As people read it: the name, or both."""
        return f"{self.name} – {self.rival_name}" if self.rival else self.name

    @property
    def starts_utc_ns(self) -> int | None:
        """When the countdown of the last launch is over."""
        return None if self.launched_utc_ns is None else self.launched_utc_ns + COUNTDOWN_NS

    @property
    def ends_utc_ns(self) -> int | None:
        """When the run of the last launch is over by the clock."""
        starts = self.starts_utc_ns
        return None if starts is None else starts + self.run_time_s * NS_PER_S


STATE_WORDS: Mapping[QueueState, Sentence] = {
    "pending": text("waiting"),
    "called": text("called"),
    "countdown": text("in the countdown"),
    "running": text("driving"),
    "done": text("done"),
    "failed": text("failed"),
    "skipped": text("skipped"),
}
