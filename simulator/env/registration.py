"""The names of the environments in Gymnasium's registry."""

from typing import Any

from shared.errors import HardwareMissing

try:
    import gymnasium
    import numba  # noqa: F401  the worlds are compiled with it
except ModuleNotFoundError as error:
    raise HardwareMissing(
        f"The environments need the library {error.name}: install the extra with `pip install 'raceday[virtual]'`."
    ) from error

MAX_EPISODE_STEPS = 1500  # 100 s

# The race types of the field, and what of each is not the option's default.
ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "Raceday/TimeTrial-v0": {},
    "Raceday/ObjectAvoidance-v0": {"boxes": 3},
    "Raceday/HeadToBot-v0": {"bots": 3, "lane_change_s": (3.0, 5.0)},
}


def register_environments() -> None:
    """Register each environment once."""
    for name, options in ENVIRONMENTS.items():
        if name not in gymnasium.registry:
            gymnasium.register(
                name,
                entry_point="simulator.env.single:RaceEnv",
                vector_entry_point="simulator.env.vector:RaceVectorEnv",
                max_episode_steps=MAX_EPISODE_STEPS,
                kwargs=options,
            )
