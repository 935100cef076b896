"""What the JSON of LIVE races looks like, in and out; OpenAPI is made from these."""

from dataclasses import dataclass

from pydantic import ConfigDict

from leaderboard.core.live.queue import FULL_PERCENT, LiveQueue, QueueItem, QueueState
from leaderboard.core.live.sectors import LiveLevel
from leaderboard.live_races.feeds import TrackPicture
from leaderboard.live_races.service import LiveAnswer, LiveRaceState
from leaderboard.scored_laps import utc_text
from shared.protocol.live import RunStage

_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class NewTurns:
    """Who is put at the end of the queue: `racers`, and with `entries` all who are entered and have no turn yet.

    Both absent: the caller's own entry, while entries to the queue are open.
    """

    __pydantic_config__ = _STRICT

    racers: tuple[str, ...] = ()
    entries: bool = False


@dataclass(frozen=True, slots=True)
class TurnOrder:
    """What to do with one turn. `version`: that of the queue that you saw; `reason` is shown and kept."""

    __pydantic_config__ = _STRICT

    version: int
    item: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TurnMove:
    """A turn to a `place` among those who wait; 1 is the next."""

    __pydantic_config__ = _STRICT

    version: int
    item: str
    place: int


@dataclass(frozen=True, slots=True)
class TurnLaunch:
    """Which turn begins its countdown; without `item` the next that can drive."""

    __pydantic_config__ = _STRICT

    version: int
    item: str = ""


@dataclass(frozen=True, slots=True)
class QueueVersion:
    """The version of the queue that you saw."""

    __pydantic_config__ = _STRICT

    version: int


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """Whether racers may put themselves into the queue, and how long the next run takes; absent ones stay."""

    __pydantic_config__ = _STRICT

    version: int
    entries_open: bool | None = None
    run_time_s: int | None = None


@dataclass(frozen=True, slots=True)
class SpeedMultiplier:
    """The multiplier of the speed (never of the steering) of the car on the track, 0.5 to 1.5."""

    __pydantic_config__ = _STRICT

    multiplier: float


@dataclass(frozen=True, slots=True)
class WinnerChoice:
    """Who has won; without `racer` who leads the standing; "" takes the declaration back."""

    __pydantic_config__ = _STRICT

    version: int
    racer: str | None = None


@dataclass(frozen=True, slots=True)
class TurnShape:
    """A turn. `place` counts those who wait, from 1; null for all others. Times are UTC."""

    item: str
    racer: str
    name: str
    place: int | None
    state: QueueState
    run_time_s: int
    multiplier: float
    launches: int
    reason: str
    starts_at: str | None
    ends_at: str | None


@dataclass(frozen=True, slots=True)
class TrackShape:
    """The newest live message, with the level of each sector: best (of the session), own (best), slower, pending."""

    racer: str
    stage: RunStage
    run_ms: int | None
    lap: int
    lap_ms: int | None
    last_lap_ms: int | None
    best_lap_ms: int | None
    sectors: tuple[int | None, ...]
    levels: tuple[LiveLevel, ...]
    track_share: float | None
    track_m: float | None
    speed_mps: float | None
    resets: int
    left_ms: int | None
    heard_at: str
    fresh: bool


@dataclass(frozen=True, slots=True)
class QueueShape:
    """The queue in order. `version` grows with every change; a change names the version that it is based on."""

    race_id: str
    version: int
    entries_open: bool
    run_time_s: int
    winner: str
    queue: tuple[TurnShape, ...]
    track: TrackShape | None = None


@dataclass(frozen=True, slots=True)
class LiveAnswerShape:
    """Whether the message was the newest of its sender, and what is wanted on the track: who, and how fast.

    `turn`, `launch`: which turn of the queue it is, and how often it was launched; another launch is another run.
    """

    newest: bool
    racer: str
    state: QueueState | None
    multiplier: float
    starts_at: str | None
    ends_at: str | None
    turn: str = ""
    launch: int = 0


def queue_shape(queue: LiveQueue) -> QueueShape:
    places = {each.item_id: place for place, each in enumerate(queue.waiting, 1)}
    shown = tuple(_turn(each, places.get(each.item_id)) for each in queue.items)
    return QueueShape(queue.race_id, queue.version, queue.entries_open, queue.run_time_s, queue.winner, shown)


def state_shape(state: LiveRaceState, now_utc_ns: int) -> QueueShape:
    shape = queue_shape(state.queue)
    track = None if state.picture is None else _track(state.picture, now_utc_ns)
    return QueueShape(
        shape.race_id, shape.version, shape.entries_open, shape.run_time_s, shape.winner, shape.queue, track
    )


def answer_shape(answer: LiveAnswer) -> LiveAnswerShape:
    multiplier = answer.speed_percent / FULL_PERCENT
    return LiveAnswerShape(
        answer.newest,
        answer.racer,
        answer.state,
        multiplier,
        _utc(answer.starts_utc_ns),
        _utc(answer.ends_utc_ns),
        answer.turn,
        answer.launch,
    )


def _turn(item: QueueItem, place: int | None) -> TurnShape:
    return TurnShape(
        item=item.item_id,
        racer=item.racer,
        name=item.name,
        place=place,
        state=item.state,
        run_time_s=item.run_time_s,
        multiplier=item.speed_percent / FULL_PERCENT,
        launches=item.launches,
        reason=str(item.reason),
        starts_at=_utc(item.starts_utc_ns),
        ends_at=_utc(item.ended_utc_ns if item.ended_utc_ns is not None else item.ends_utc_ns),
    )


def _track(picture: TrackPicture, now_utc_ns: int) -> TrackShape:
    message = picture.message
    return TrackShape(
        racer=message.racer,
        stage=message.stage,
        run_ms=message.run_ms,
        lap=message.lap,
        lap_ms=message.lap_ms,
        last_lap_ms=message.last_lap_ms,
        best_lap_ms=message.best_lap_ms,
        sectors=message.sectors,
        levels=picture.levels,
        track_share=message.track_share,
        track_m=message.track_m,
        speed_mps=message.speed_mps,
        resets=message.resets,
        left_ms=message.left_ms,
        heard_at=utc_text(picture.received_utc_ns),
        fresh=picture.fresh(now_utc_ns),
    )


def _utc(at_utc_ns: int | None) -> str | None:
    return None if at_utc_ns is None else utc_text(at_utc_ns)
