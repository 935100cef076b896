"""What `gymnasium.make("simulator.env:Raceday/TimeTrial-v0", …)` takes, checked: one sentence for what is wrong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from shared.errors import BadInput
from simulator.env.actions import CONTINUOUS, ActionDecoder, read_actions
from simulator.env.observations import Observer, read_sensors
from simulator.env.reward.function import Parameters, RewardFunction
from simulator.env.reward.parameters import is_clockwise
from simulator.objects.bots import BotSetup, make_bots
from simulator.objects.boxes import BoxSetup, make_boxes
from simulator.objects.lanes import lanes_of
from simulator.objects.placing import ObjectPlace
from simulator.objects.sensors import ModelSensors
from simulator.world.cars.profiles import PHYSICAL, profile_names
from simulator.world.tracks import Track, load_track

DIRECTIONS = ("counterclockwise", "clockwise")
OBSERVATIONS = {"grey": 1, "rgb": 3}
STARTS = ("line", "anywhere")
MIN_PX, MAX_PX = 8, 1280
MAX_LAPS = 1000

RewardSource = str | Path | Callable[[Parameters], float] | None


@dataclass(frozen=True, eq=False)
class EnvironmentOptions:
    """The checked options of an environment.

    `tracks`: an episode drives on one of them. `reward`: a racer's function (each car gets its own), any callable, or
    None for metres made good.
    """

    tracks: tuple[Track, ...]
    channels: int
    size: tuple[int, int]
    decoder: ActionDecoder
    profile: str
    randomise: int
    reward: RewardFunction | Callable[[Parameters], float] | None
    start: str
    laps: int
    boxes: BoxSetup | None
    bots: BotSetup | None
    sensors: ModelSensors | None = None

    def observer(self) -> Observer:
        """What observes the worlds."""
        return Observer(self.size, self.channels, self.sensors)


def read_options(
    *,
    track: str | Sequence[str] = "reinvent_base",
    direction: Literal["counterclockwise", "clockwise"] | None = None,
    observation: Literal["grey", "rgb"] = "grey",
    size: tuple[int, int] = (160, 120),
    actions: str | Path | Mapping[str, Any] = CONTINUOUS,
    profile: str = PHYSICAL,
    randomise: int = 1,
    reward: RewardSource = None,
    start: Literal["line", "anywhere"] = "line",
    laps: int = 1,
    throttle_percent: float = 50.0,
    boxes: int | Sequence[tuple[int, float]] = 0,
    bots: int | Sequence[tuple[int, float]] = 0,
    bot_speed_mps: float = 1.0,
    lane_change_s: tuple[float, float] | None = None,
    sensors: str | Sequence[str] | None = None,
) -> EnvironmentOptions:
    """Checks the options that an environment was made with. Raises BadInput."""
    _one_of("direction", direction, (*DIRECTIONS, None))
    _one_of("observation", observation, tuple(OBSERVATIONS))
    _one_of("profile", profile, tuple(profile_names()))
    _one_of("randomise", randomise, (0, 1, 2))
    _one_of("start", start, STARTS)
    if not isinstance(laps, int) or not 1 <= laps <= MAX_LAPS:
        raise BadInput(f"An episode cannot have {laps!r} laps: give a whole number from 1 to {MAX_LAPS}.")
    if not 0.0 < throttle_percent <= 100.0:
        raise BadInput(f"The throttle is {throttle_percent!r} per cent: it must be above 0 and at most 100.")
    space = read_actions(actions)
    box_setup = None if boxes == 0 else BoxSetup(*_places(boxes))
    bot_setup = None if bots == 0 else _bots(*_places(bots), bot_speed_mps, lane_change_s)
    tracks = _tracks(track, direction)
    for each in tracks:
        _check_room(each, box_setup, bot_setup)
    return EnvironmentOptions(
        tracks=tracks,
        channels=OBSERVATIONS[observation],
        size=_size(size),
        decoder=ActionDecoder(space, throttle_percent / 100.0 if profile == PHYSICAL else None),
        profile=profile,
        randomise=randomise,
        reward=_reward(reward),
        start=start,
        laps=laps,
        boxes=box_setup,
        bots=bot_setup,
        sensors=read_sensors(sensors, OBSERVATIONS[observation]),
    )


def _check_room(track: Track, boxes: BoxSetup | None, bots: BotSetup | None) -> None:
    """Raises BadInput if the objects do not fit on the track."""
    if boxes is None and bots is None:
        return
    lanes = lanes_of(track)
    if boxes is not None:
        make_boxes(lanes, boxes, 0)
    if bots is not None:
        make_bots(lanes, bots, 0)


def _places(objects: int | Sequence[tuple[int, float]]) -> tuple[int, tuple[ObjectPlace, ...] | None]:
    """How many objects, and where: from a number, or from pairs of lane (1 inner, -1 outer) and share of the track."""
    if isinstance(objects, int):
        return objects, None
    pairs: list[Any] = list(objects) if isinstance(objects, list | tuple) else [objects]
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise BadInput(
            "Objects are a number, or a list of lanes and shares of the track, as in [(1, 0.25), (-1, 0.6)]."
        )
    return len(pairs), tuple(ObjectPlace(pair[0], pair[1]) for pair in pairs)


def _bots(
    count: int, places: tuple[ObjectPlace, ...] | None, speed_mps: float, waits_s: tuple[float, float] | None
) -> BotSetup:
    if not isinstance(speed_mps, int | float) or isinstance(speed_mps, bool):
        raise BadInput(f"The bots' speed is {speed_mps!r}: give metres a second.")
    if waits_s is not None and (not isinstance(waits_s, list | tuple) or len(waits_s) != 2):
        raise BadInput(f"The bots change lanes every {waits_s!r}: give two numbers of seconds, or None.")
    return BotSetup(count, speed_mps, places, None if waits_s is None else (waits_s[0], waits_s[1]))


def _one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if isinstance(value, bool) or value not in allowed:
        shown = ", ".join(repr(each) for each in allowed)
        raise BadInput(f"The {name} of an environment is {value!r}: choose one of {shown}.")


def _tracks(names: str | Sequence[str], direction: str | None) -> tuple[Track, ...]:
    listed = list(names) if isinstance(names, list | tuple) else [names]
    if not listed or not all(isinstance(name, str) for name in listed):
        raise BadInput("The track of an environment is a name, the path of a .npy file, or a list of such: give one.")
    return tuple(_turned(load_track(str(name)), direction) for name in listed)


def _turned(track: Track, direction: str | None) -> Track:
    if direction is None or is_clockwise(track) == (direction == "clockwise"):
        return track
    return track.reversed()


def _size(size: tuple[int, int]) -> tuple[int, int]:
    numbers = tuple(size) if isinstance(size, list | tuple) else ()
    if len(numbers) != 2 or not all(isinstance(each, int) and MIN_PX <= each <= MAX_PX for each in numbers):
        raise BadInput(
            f"The size of an observation is {size!r}: give width and height, each from {MIN_PX} to {MAX_PX} pixels."
        )
    return numbers[0], numbers[1]


def _reward(reward: RewardSource) -> RewardFunction | Callable[[Parameters], float] | None:
    if reward is None or callable(reward):
        return reward
    if isinstance(reward, str | Path):
        return RewardFunction(reward)
    raise BadInput(
        f"The reward is a {type(reward).__name__}: give the path of a reward_function.py, a function, or None."
    )
