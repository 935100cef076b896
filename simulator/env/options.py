"""What `gymnasium.make("simulator.env:Raceday/TimeTrial-v0", …)` takes, checked: one sentence for what is wrong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import gymnasium
import numpy as np

from shared.errors import BadInput
from simulator.env.actions import CONTINUOUS, ActionDecoder, read_actions
from simulator.env.reward.function import Parameters, RewardFunction
from simulator.env.reward.parameters import is_clockwise
from simulator.world.cars.profiles import PHYSICAL, profile_names
from simulator.world.tracks import Track, load_track

DIRECTIONS = ("counterclockwise", "clockwise")
OBSERVATIONS = {"grey": 1, "rgb": 3}
STARTS = ("line", "anywhere")
MIN_PX, MAX_PX = 8, 1280
MAX_LAPS = 1000

RewardSource = str | Path | Callable[[Parameters], float] | None


@dataclass(frozen=True, eq=False)
class RaceOptions:
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

    def observation_space(self) -> gymnasium.spaces.Box:
        """Pictures of the camera, (height, width, channels) uint8; the channels of a coloured one are RGB."""
        width, height = self.size
        return gymnasium.spaces.Box(0, 255, (height, width, self.channels), np.uint8)


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
) -> RaceOptions:
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
    return RaceOptions(
        tracks=_tracks(track, direction),
        channels=OBSERVATIONS[observation],
        size=_size(size),
        decoder=ActionDecoder(space, throttle_percent / 100.0 if profile == PHYSICAL else None),
        profile=profile,
        randomise=randomise,
        reward=_reward(reward),
        start=start,
        laps=laps,
    )


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
