"""The names of the environments in Gymnasium's registry."""

from shared.errors import HardwareMissing

try:
    import gymnasium
    import numba  # noqa: F401  the worlds are compiled with it
except ModuleNotFoundError as error:
    raise HardwareMissing(
        f"The environments need the library {error.name}: install the extra with `pip install 'raceday[virtual]'`."
    ) from error

TIME_TRIAL = "Raceday/TimeTrial-v0"
MAX_EPISODE_STEPS = 1500  # 100 s: the slowest lap of the field's longest track at 1 m/s


def register_environments() -> None:
    """Register each environment once."""
    if TIME_TRIAL not in gymnasium.registry:
        gymnasium.register(
            TIME_TRIAL,
            entry_point="simulator.env.single:RaceEnv",
            vector_entry_point="simulator.env.vector:RaceVectorEnv",
            max_episode_steps=MAX_EPISODE_STEPS,
        )
