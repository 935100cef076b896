"""The environments for one car on a track, frame by frame: a batch of one world."""

from typing import Any, cast

import gymnasium
import numpy as np
from gymnasium.utils import EzPickle
from numpy.typing import NDArray

from shared.errors import BadInput
from simulator.env.episodes import Episodes
from simulator.env.observations import Frames, row_of
from simulator.env.options import read_options
from simulator.env.view import frame_rate_hz, view_of

_FIRST = np.zeros(1, np.int64)


class RaceEnv(gymnasium.Env[Any, Any], EzPickle):
    """A car drives laps alone. Observations are what its camera sees, (height, width, 1 or 3) uint8, or its sensors.

    The options are those of `simulator.env.options.read_options`; docs/train-a-model.md explains them. A copy or a
    pickle is an environment of the same options that was never reset.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": frame_rate_hz()}  # noqa: RUF012  Gymnasium's

    def __init__(self, render_mode: str | None = None, **options: Any) -> None:
        """Raises BadInput for options that are not what they must be."""
        EzPickle.__init__(self, render_mode=render_mode, **options)
        self.render_mode = render_mode
        self._episodes = Episodes(read_options(**options), 1)
        self.action_space = self._episodes.options.decoder.gymnasium_space()
        self.observation_space = cast("gymnasium.Space[Any]", self._episodes.options.observer().space())

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, drawn from the environment's generator. Raises BadInput: a reset has no options."""
        if options:
            raise BadInput(f"A reset has no options, but {', '.join(options)} was given: make another environment.")
        super().reset(seed=seed)
        info = self._episodes.reset(_FIRST, [self.np_random])
        return row_of(self._episodes.observe(), 0), _of_one(info)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Drive for one frame interval, 1/15 s. Raises BadInput for an action outside the action space."""
        step = self._episodes.step(np.asarray(action)[None])
        return (
            row_of(self._episodes.observe(), 0),
            float(step.reward[0]),
            bool(step.terminated[0]),
            bool(step.truncated[0]),
            _of_one(step.info),
        )

    def render(self) -> Frames | None:
        """What the camera sees, in colour and large, (480, 640, 3) RGB; None without `render_mode="rgb_array"`."""
        if self.render_mode is None:
            return None
        return view_of(self._episodes.worlds, 0)

    def close(self) -> None:
        """End what was started."""
        self._episodes.close()


def _of_one(info: "dict[str, NDArray[Any]] | Any") -> dict[str, Any]:
    return {name: values[0].item() for name, values in info.items()}
