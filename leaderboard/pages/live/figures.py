"""What is heard of the cars on the track of a LIVE race, as the words and figures of its pages. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.core.live.turn import QueueItem
from leaderboard.live_races.service import LiveRaceState
from leaderboard.pages.live.track_view import SectorMark, car_spot, sector_marks
from shared.protocol.live import LiveMessage, RivalCar
from shared.text import Sentence, ntext, text
from shared.units import NS_PER_MS, format_ms

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class NowCar:
    """A car on the track: whose, with which multiplier, and its sign, which tells the two of a heat apart."""

    racer: str
    name: str
    sign: str
    speed_percent: int
    speed: str


@dataclass(frozen=True, slots=True)
class Lead:
    """The car of a heat that is ahead, by how much, and the same as a sentence with its name."""

    car: NowCar
    words: Sentence
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class TrackFigures:
    """What is heard of a car, as text; – where nothing is known. `car`: where it is on the map.

    `lap_number`, `speed_mps` and `reset_count` are for a column with a heading; ✓ is a car that is through.
    """

    racer: str
    lap: Sentence | str
    lap_ms: int | None
    last: str
    best: str
    gap: str
    gap_words: Sentence
    speed: str
    resets: Sentence | str
    lap_number: str
    speed_mps: str
    reset_count: str
    sectors: tuple[SectorMark, ...]
    car: tuple[int, int] | None


def track_figures(state: LiveRaceState, now_utc_ns: int) -> TrackFigures:
    """Of the car on the track, the first of a heat."""
    picture = state.picture
    if picture is None or not picture.fresh(now_utc_ns):
        return _NOTHING_KNOWN
    message = picture.message
    age_ms = max(0, now_utc_ns - picture.received_utc_ns) // NS_PER_MS
    running = message.stage == "running"
    gap, gap_words = _gap(state, message.best_lap_ms)
    return TrackFigures(
        racer=message.racer,
        lap=_lap(message),
        lap_ms=message.lap_ms + age_ms if message.lap_ms is not None and running else message.lap_ms,
        last=_ms(message.last_lap_ms),
        best=_ms(message.best_lap_ms),
        gap=gap,
        gap_words=gap_words,
        speed=NOTHING if message.speed_mps is None else f"{message.speed_mps:.1f} m/s",
        resets=ntext("{n} reset", "{n} resets", n=message.resets),
        lap_number=_lap_number(message),
        speed_mps=_speed(message),
        reset_count=str(message.resets),
        sectors=sector_marks(message.sectors, picture.levels),
        car=car_spot(state.race, message),
    )


def rival_figures(state: LiveRaceState, on_track: QueueItem | None, now_utc_ns: int) -> TrackFigures | None:
    """Of the other car of a heat; None where only one drives."""
    if on_track is None or not on_track.rival:
        return None
    picture = state.picture
    if picture is None or not picture.fresh(now_utc_ns) or picture.message.rival is None:
        return _NOTHING_KNOWN
    rival = picture.message.rival
    return TrackFigures(
        racer=rival.racer,
        lap=_lap(rival),
        lap_ms=rival.lap_ms,
        last=_ms(rival.last_lap_ms),
        best=_ms(rival.best_lap_ms),
        gap=NOTHING,
        gap_words=text("Gap to leader"),
        speed=NOTHING if rival.speed_mps is None else f"{rival.speed_mps:.1f} m/s",
        resets=ntext("{n} reset", "{n} resets", n=rival.resets),
        lap_number=_lap_number(rival),
        speed_mps=_speed(rival),
        reset_count=str(rival.resets),
        sectors=sector_marks(rival.sectors, picture.rival_levels),
        car=car_spot(state.race, rival),
    )


def _lap(car: LiveMessage | RivalCar) -> Sentence:
    return text("through") if car.through else text("Lap {lap}", lap=car.lap)


def _lap_number(car: LiveMessage | RivalCar) -> str:
    return "✓" if car.through else str(car.lap)


def _speed(car: LiveMessage | RivalCar) -> str:
    return NOTHING if car.speed_mps is None else f"{car.speed_mps:.1f}"


def lead(state: LiveRaceState, cars: Sequence[NowCar], now_utc_ns: int) -> Lead | None:
    """Who of the two of a heat is ahead, and by how much; None where nothing is known of it."""
    picture = state.picture
    if len(cars) < 2 or picture is None or not picture.fresh(now_utc_ns) or picture.message.ahead_m is None:
        return None
    ahead_m = picture.message.ahead_m
    car, metres = cars[0 if ahead_m >= 0 else 1], f"{abs(ahead_m):.1f}"
    return Lead(
        car, text("{metres} m ahead", metres=metres), text("{name} is {metres} m ahead", name=car.name, metres=metres)
    )


_NOTHING_KNOWN = TrackFigures(
    racer="",
    lap=NOTHING,
    lap_ms=None,
    last=NOTHING,
    best=NOTHING,
    gap=NOTHING,
    gap_words=text("Gap to leader"),
    speed=NOTHING,
    resets=NOTHING,
    lap_number=NOTHING,
    speed_mps=NOTHING,
    reset_count=NOTHING,
    sectors=sector_marks(None),
    car=None,
)


def _gap(state: LiveRaceState, best_ms: int | None) -> tuple[str, Sentence]:
    """The best lap of this run against the leader, where a single lap decides."""
    words = text("Gap to leader")
    rules = state.race.rules
    one_lap = rules.method == "best_lap" or rules.consecutive_laps == 1
    if not state.top or best_ms is None or not one_lap:
        return NOTHING, words
    behind_ms = best_ms - state.top[0].score_ms
    if behind_ms <= 0:
        return f"−{format_ms(-behind_ms)}", text("Ahead of the leader")
    return f"+{format_ms(behind_ms)}", words


def _ms(value: int | None) -> str:
    return NOTHING if value is None else format_ms(value)
