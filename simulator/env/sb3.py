"""`VecRace`: a vector environment as Stable-Baselines3 wants it, so that its algorithms train on one batch of worlds.

The only file that imports stable_baselines3. What the library's `Monitor` adds is in it: the length and the reward of
every episode that is over.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from shared.errors import BadInput, HardwareMissing

try:
    from stable_baselines3.common.vec_env import VecEnv
except ModuleNotFoundError as error:
    raise HardwareMissing(
        f"VecRace needs the library {error.name}: install the extra with `pip install 'raceday[train]'`."
    ) from error


class VecRace(VecEnv):  # type: ignore[misc]  # no types
    """Wraps a vector environment of SAME_STEP; `close` closes it."""

    def __init__(self, envs: VectorEnv[Any, Any, Any]) -> None:
        if envs.metadata.get("autoreset_mode") is not AutoresetMode.SAME_STEP:
            raise BadInput(
                "Stable-Baselines3 resets in the same step: make the environment with autoreset_mode='SameStep'."
            )
        self.envs = envs
        self.render_mode = envs.render_mode
        self.metadata = envs.metadata
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)
        self._actions: NDArray[Any] | None = None
        self._rewards, self._lengths = np.zeros(envs.num_envs), np.zeros(envs.num_envs, np.int64)

    def reset(self) -> Any:
        """Begin an episode everywhere, with the seed given before."""
        seed = self._seeds[0]
        frames, _ = self.envs.reset(seed=seed)
        self._reset_seeds()
        self._rewards[:], self._lengths[:] = 0.0, 0
        return _arrays(frames)

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[Any, NDArray[Any], NDArray[Any], list[dict[str, Any]]]:
        """Drive; infos of episodes that are over hold the last observation, and whether it was only cut off."""
        assert self._actions is not None, "step_async comes first"
        frames, rewards, terminated, truncated, info = self.envs.step(self._actions)
        self._rewards += rewards
        self._lengths += 1
        infos = self._infos(info)
        over = terminated | truncated
        for row in np.flatnonzero(over).tolist():
            infos[row] = {name: values[row].item() for name, values in _values(info["final_info"])}
            infos[row]["terminal_observation"] = info["final_obs"][row]
            infos[row]["TimeLimit.truncated"] = bool(truncated[row] and not terminated[row])
            infos[row]["episode"] = {"r": float(self._rewards[row]), "l": int(self._lengths[row])}
        self._rewards[over], self._lengths[over] = 0.0, 0
        return _arrays(frames), np.asarray(rewards, np.float32), over, infos

    def close(self) -> None:
        """Close the environment."""
        self.envs.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of the environment, the same for every row."""
        return [getattr(self.envs, attr_name)] * len(self._rows(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:  # noqa: ARG002
        """There is one environment for all rows. Raises BadInput."""
        raise BadInput(f"{attr_name} cannot be set on a batch of worlds: make the environment with other options.")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Call a method of the environment once; its answer for every row."""
        return [getattr(self.envs, method_name)(*args, **kwargs)] * len(self._rows(indices))

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:  # noqa: ARG002
        """Nothing wraps single rows."""
        return [False] * len(self._rows(indices))

    def get_images(self) -> Sequence[Any]:
        """The view from each car."""
        pictures = self.envs.render()
        return [None] * self.num_envs if pictures is None else list(pictures)

    def _rows(self, indices: Any) -> Sequence[int]:
        return list(self._get_indices(indices))

    def _infos(self, info: dict[str, Any]) -> list[dict[str, Any]]:
        columns = _values({name: values for name, values in info.items() if name not in ("final_info", "final_obs")})
        names = [name for name, _ in columns]
        rows = zip(*(values.tolist() for _, values in columns), strict=True)
        return [dict(zip(names, row, strict=True)) for row in rows]


def _arrays(observations: Any) -> Any:
    """Pictures, or the dict of several sensors."""
    return dict(observations) if isinstance(observations, dict) else np.asarray(observations)


def _values(info: dict[str, Any]) -> list[tuple[str, NDArray[Any]]]:
    """The columns of an info without their masks."""
    return [(name, values) for name, values in info.items() if not name.startswith("_")]
