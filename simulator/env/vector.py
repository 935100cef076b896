"""The environments for many cars: one batch of worlds behind Gymnasium's vector interface.

Car number i of a vector environment that was reset with seed s has the episodes of a single environment that was reset
with seed s + i, however many cars there are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.utils import EzPickle
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from shared.errors import BadInput
from simulator.batch.vector import BatchWorlds
from simulator.env.episodes import Episodes, Members
from simulator.env.observations import Frames, row_of
from simulator.env.options import read_options
from simulator.env.view import frame_rate_hz, view_of

MAX_ENVS = 4096
MAX_THREADS = 64
MAX_STEPS = 10_000_000

Bools = NDArray[np.bool_]
Info = dict[str, Any]


class RaceVectorEnv(VectorEnv[Any, Any, NDArray[Any]], EzPickle):
    """N cars, each alone on its track. `autoreset_mode` is Gymnasium's: NEXT_STEP (default), SAME_STEP or DISABLED."""

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": frame_rate_hz()}  # noqa: RUF012  Gymnasium's

    def __init__(
        self,
        num_envs: int = 1,
        render_mode: str | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        threads: int = 1,
        **options: Any,
    ) -> None:
        """Raises BadInput for options that are not what they must be."""
        EzPickle.__init__(self, num_envs, render_mode, autoreset_mode, max_episode_steps, threads, **options)
        self.num_envs = _whole("number of cars", num_envs, MAX_ENVS)
        self.render_mode = render_mode
        self._mode = _mode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self._mode}
        self._max_steps = _whole("max_episode_steps", max_episode_steps or MAX_STEPS, MAX_STEPS)
        self._episodes = Episodes(read_options(**options), num_envs, _whole("number of threads", threads, MAX_THREADS))
        self.single_action_space = self._episodes.options.decoder.gymnasium_space()
        self.single_observation_space = self._episodes.options.observer().space()
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self._generators: list[np.random.Generator] = []
        self._over: Bools = np.zeros(num_envs, bool)

    def reset(self, *, seed: int | Sequence[int | None] | None = None, options: Info | None = None) -> tuple[Any, Info]:
        """Begin episodes in all rows, or in those of `options["reset_mask"]`, a bool array (N,).

        `seed`: of row 0, the others follow by 1, or one for each row.
        """
        mask = np.ones(self.num_envs, bool)
        if options is not None and "reset_mask" in options:
            mask = np.asarray(options["reset_mask"])
            if mask.dtype != bool or mask.shape != (self.num_envs,) or not mask.any():
                raise BadInput(f"The reset_mask must be {self.num_envs} bools, at least one of them True.")
        self._seed(seed, mask)
        info = self._episodes.reset(np.flatnonzero(mask), self._generators)
        self._over[mask] = False
        return self._episodes.observe(), _masked(info, mask)

    def step(self, actions: Any) -> tuple[Any, NDArray[Any], Bools, Bools, Info]:
        """Drive all cars for one frame interval, 1/15 s; those whose episode was over begin the next one."""
        again = np.flatnonzero(self._over)
        if self._mode is AutoresetMode.DISABLED and len(again):
            raise BadInput(f"The episodes of {again.tolist()} are over: reset them with a reset_mask first.")
        driving = np.flatnonzero(~self._over)
        done = self._episodes.step(actions, None if len(driving) == self.num_envs else driving)
        info = dict(done.info)
        truncated = (done.truncated | (done.info["steps"] >= self._max_steps)) & ~self._over
        if len(again):
            info |= self._begin(again, info)
        self._over = done.terminated | truncated
        frames = self._episodes.observe()
        if self._mode is AutoresetMode.SAME_STEP and self._over.any():
            frames, info = self._begin_in_same_step(frames, info)
        everywhere = np.ones(self.num_envs, bool)
        return frames, done.reward, done.terminated, truncated, _masked(info, everywhere)

    @property
    def worlds(self) -> BatchWorlds:
        """The cars' worlds, for what the info does not say. There are none before the first reset."""
        return self._episodes.worlds

    def render(self) -> tuple[Frames, ...] | None:
        """What each camera sees, in colour and large: N pictures (480, 640, 3) RGB."""
        if self.render_mode is None:
            return None
        return tuple(view_of(self._episodes.worlds, row) for row in range(self.num_envs))

    def close_extras(self, **_: Any) -> None:
        """End the threads."""
        self._episodes.close()

    def _seed(self, seed: int | Sequence[int | None] | None, mask: Bools) -> None:
        if not self._generators:
            self._generators = [np_random()[0] for _ in range(self.num_envs)]
        if isinstance(seed, int | np.integer):
            super().reset(seed=int(seed))
            seeds: Sequence[int | None] = [int(seed) + row for row in range(self.num_envs)]
        else:
            seeds = [None] * self.num_envs if seed is None else list(seed)
        if len(seeds) != self.num_envs:
            raise BadInput(f"There are {len(seeds)} seeds for {self.num_envs} cars: give one for each, or one number.")
        for row in np.flatnonzero(mask).tolist():
            if seeds[row] is not None:
                self._generators[row] = np_random(seeds[row])[0]

    def _begin(self, rows: Members, info: Info) -> Info:
        """Begin the next episodes of these rows; the info, with theirs in it."""
        fresh = self._episodes.reset(rows, self._generators)
        for name, values in info.items():
            values[rows] = fresh[name][rows]
        return info

    def _begin_in_same_step(self, frames: Any, info: Info) -> tuple[Any, Info]:
        over = self._over
        rows = np.flatnonzero(over)
        last = np.full(self.num_envs, None, object)
        for row in rows.tolist():
            last[row] = row_of(frames, row)
        final = _masked({name: np.where(over, values, np.zeros_like(values)) for name, values in info.items()}, over)
        info = self._begin(rows, info)
        self._episodes.observe(frames, rows)
        self._over = np.zeros(self.num_envs, bool)
        return frames, info | {"final_obs": (last, over), "final_info": (final, over)}


def _masked(info: Mapping[str, Any], mask: Bools) -> Info:
    """Gymnasium's form: beside each key the rows that have it, under the key with a line before."""
    shown: Info = {}
    for name, values in info.items():
        shown[name], where = values if isinstance(values, tuple) else (values, mask)
        shown["_" + name] = where.copy()
    return shown


def _mode(mode: AutoresetMode | str) -> AutoresetMode:
    try:
        return AutoresetMode(mode)
    except ValueError:
        allowed = ", ".join(repr(each.value) for each in AutoresetMode)
        raise BadInput(f"The autoreset_mode is {mode!r}: choose one of {allowed}.") from None


def _whole(what: str, number: int, limit: int) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= limit:
        raise BadInput(f"The {what} of an environment is {number!r}: give a whole number from 1 to {limit}.")
    return number
