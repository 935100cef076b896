"""What is told of LIVE races as JSON; OpenAPI is made from these."""

from dataclasses import dataclass

from leaderboard.core.live.queue import LiveQueue
from leaderboard.core.live.sectors import LiveLevel
from leaderboard.core.live.turn import FULL_PERCENT, QueueItem, QueueState
from leaderboard.live_races.feeds import TrackPicture
from leaderboard.live_races.service import LiveAnswer, LiveRaceState
from leaderboard.scored_laps import utc_text
from shared.protocol.live import RivalCar, RunStage


@dataclass(frozen=True, slots=True)
class TurnShape:
    """A turn. `place` counts those who wait, from 1; null for all others. Times are UTC.

    Of a heat `rival` drives too; `ahead` is the racer who won it, "" before that or if they were level; `bracket` and
    `heat` name it in its bracket, if it is of one.
    """

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
    rival: str = ""
    rival_name: str = ""
    rival_multiplier: float = 1.0
    ahead: str = ""
    bracket: str = ""
    heat: int = 0


@dataclass(frozen=True, slots=True)
class RivalShape:
    """The other car of a heat, at the same moment."""

    racer: str
    lap: int
    lap_ms: int | None
    last_lap_ms: int | None
    best_lap_ms: int | None
    sectors: tuple[int | None, ...]
    levels: tuple[LiveLevel, ...]
    track_share: float | None
    speed_mps: float | None
    resets: int
    through: bool


@dataclass(frozen=True, slots=True)
class TrackShape:
    """The newest live message, with the level of each sector: best (of the session), own (best), slower, pending.

    `ahead_m`: how far `racer` is ahead of the `rival` of a heat.
    """

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
    through: bool = False
    rival: RivalShape | None = None
    ahead_m: float | None = None


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
    `rival`: of a heat, the other racer.
    """

    newest: bool
    racer: str
    state: QueueState | None
    multiplier: float
    starts_at: str | None
    ends_at: str | None
    turn: str = ""
    launch: int = 0
    rival: str = ""
    rival_multiplier: float = 1.0


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
        answer.rival,
        answer.rival_speed_percent / FULL_PERCENT,
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
        rival=item.rival,
        rival_name=item.rival_name,
        rival_multiplier=item.rival_speed_percent / FULL_PERCENT,
        ahead=item.ahead,
        bracket=item.bracket_id,
        heat=item.heat,
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
        through=message.through,
        rival=None if message.rival is None else _rival(message.rival, picture.rival_levels),
        ahead_m=message.ahead_m,
    )


def _rival(rival: RivalCar, levels: tuple[LiveLevel, ...]) -> RivalShape:
    return RivalShape(
        racer=rival.racer,
        lap=rival.lap,
        lap_ms=rival.lap_ms,
        last_lap_ms=rival.last_lap_ms,
        best_lap_ms=rival.best_lap_ms,
        sectors=rival.sectors,
        levels=levels,
        track_share=rival.track_share,
        speed_mps=rival.speed_mps,
        resets=rival.resets,
        through=rival.through,
    )


def _utc(at_utc_ns: int | None) -> str | None:
    return None if at_utc_ns is None else utc_text(at_utc_ns)
