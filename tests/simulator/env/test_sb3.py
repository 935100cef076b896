"""`VecRace`: what Stable-Baselines3 is answered, and its own checker; only where the library is installed."""

from importlib.util import find_spec
from typing import Any

import gymnasium
import numpy as np
import pytest

import simulator.env  # noqa: F401  registers the environments
from shared.errors import BadInput

if find_spec("stable_baselines3") is not None:  # the extra 'train': not part of what the product or CI needs
    from stable_baselines3.common.env_checker import check_env

    from simulator.env.sb3 import VecRace

    @pytest.mark.filterwarnings("error")
    def test_the_librarys_checker_finds_nothing() -> None:
        check_env(gymnasium.make("Raceday/TimeTrial-v0", size=(80, 60), randomise=0).unwrapped)

    def test_ends_bring_the_last_observation_and_the_episodes_sums() -> None:
        options: dict[str, Any] = {
            "num_envs": 3,
            "size": (16, 12),
            "randomise": 0,
            "max_episode_steps": 30,
            "start": "anywhere",
        }
        envs = gymnasium.make_vec("Raceday/TimeTrial-v0", autoreset_mode="SameStep", **options)
        judge = gymnasium.make_vec("Raceday/TimeTrial-v0", autoreset_mode="SameStep", **options)
        cars = VecRace(envs)
        cars.seed(4)
        assert np.array_equal(cars.reset(), judge.reset(seed=4)[0])
        rewards, ends = np.zeros(3), 0
        for _ in range(70):
            actions = np.tile(np.array([[0.4, 0.0]], np.float32), (3, 1))
            frames, reward, over, infos = cars.step(actions)
            expected, _, terminated, truncated, info = judge.step(actions)
            assert np.array_equal(frames, expected)
            assert over.tolist() == (terminated | truncated).tolist()
            rewards += reward
            for row in np.flatnonzero(over).tolist():
                ends += 1
                assert infos[row]["episode"]["r"] == pytest.approx(rewards[row], abs=1e-4)
                assert infos[row]["episode"]["l"] == info["final_info"]["steps"][row] == infos[row]["steps"]
                assert infos[row]["TimeLimit.truncated"] == (not terminated[row])
                assert np.array_equal(infos[row]["terminal_observation"], info["final_obs"][row])
                rewards[row] = 0.0
        assert ends >= 6

    def test_several_sensors_are_a_dict_of_arrays() -> None:
        from stable_baselines3 import PPO

        envs = gymnasium.make_vec(
            "Raceday/ObjectAvoidance-v0",
            num_envs=2,
            size=(40, 40),
            randomise=0,
            max_episode_steps=5,
            autoreset_mode="SameStep",
            sensors=["FRONT_FACING_CAMERA", "LIDAR"],
        )
        cars = VecRace(envs)
        learner = PPO("MultiInputPolicy", cars, n_steps=8, batch_size=8, n_epochs=1, device="cpu")
        learner.learn(16)
        actions, _ = learner.predict(cars.reset(), deterministic=True)
        for _ in range(5):
            _, _, over, infos = cars.step(actions)
        assert over.all()
        assert {name: values.shape for name, values in infos[0]["terminal_observation"].items()} == {
            "FRONT_FACING_CAMERA": (40, 40, 1),
            "LIDAR": (64,),
        }
        cars.close()

    def test_an_environment_that_resets_later_is_refused() -> None:
        with pytest.raises(BadInput, match="SameStep"):
            VecRace(gymnasium.make_vec("Raceday/TimeTrial-v0", num_envs=1, size=(16, 12)))
