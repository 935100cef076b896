"""A training by reinforcement, as short as can be: what it writes, what it goes on from, what it refuses."""

import csv
import json
import pathlib
from importlib.util import find_spec

import numpy as np
import pytest

from shared.errors import BadInput
from simulator.driving.policy import load_policy

TINY = """
[cars]
count = 4
randomise = 0
[actions]
angles_deg = [-20.0, 0.0, 20.0]
[network]
filters = [4]
kernels = [8]
strides = [4]
dense = 16
[learning]
steps = {steps}
steps_a_car = 16
batch_frames = 32
epochs = 1
[checkpoints]
every_steps = 64
cars = 2
laps = 1
"""

# The extra 'train' is not part of what the product or CI needs.
if find_spec("torch") is not None and find_spec("stable_baselines3") is not None:

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
    def test_a_tiny_training_leaves_its_best_checkpoint_and_goes_on(tmp_path: pathlib.Path) -> None:
        import torch
        from stable_baselines3 import PPO

        from simulator.train.reinforcement.command import ReinforceArguments, run

        recipe, reward, out = tmp_path / "tiny.toml", tmp_path / "reward_function.py", tmp_path / "model"
        recipe.write_text(TINY.format(steps=128), encoding="utf-8")
        reward.write_text("def reward_function(params):\n    return float(params['progress'] >= 0)\n", encoding="utf-8")
        order = ReinforceArguments(str(recipe), out, ["reinvent_base"], reward=str(reward))
        run(order)
        assert {path.name for path in out.iterdir()} == {
            "model.onnx",
            "model_metadata.json",
            "card.json",
            "progress.csv",
            "progress.html",
            "checkpoints.csv",
            "checkpoints",
        }
        kept = [int(row["steps"]) for row in csv.DictReader((out / "checkpoints.csv").open())]
        assert kept == [64, 128]
        assert [row["steps"] for row in csv.DictReader((out / "progress.csv").open())] == ["64", "128"]
        shipped = json.loads((out / "card.json").read_text())
        assert shipped["checkpoint"] in kept
        best = out / "checkpoints" / f"{shipped['checkpoint']:09d}.onnx"
        assert (out / "model.onnx").read_bytes() == best.read_bytes()

        frame = np.random.default_rng(1).integers(0, 256, (240, 320), dtype=np.uint8)
        policy = load_policy(str(out))
        assert policy.throttle_scale == 0.5
        policy.act(frame)
        small = policy._model.small.reshape(60, 2, 80, 2).mean(axis=(1, 3), dtype=np.float32)
        learner = PPO.load(best.with_suffix(".zip"), device="cpu")
        with torch.no_grad():
            features = learner.policy.features_extractor(torch.from_numpy(small)[None, None] / 255.0)
            expected = torch.softmax(learner.policy.action_net(features), dim=1).numpy()
        assert policy._model.answer() == pytest.approx(expected[0], abs=1e-5)

        with pytest.raises(BadInput, match="holds a training already: give --resume"):
            run(order)
        recipe.write_text(TINY.format(steps=192), encoding="utf-8")
        run(ReinforceArguments(str(recipe), out, ["reinvent_base"], resume=True))
        assert [int(row["steps"]) for row in csv.DictReader((out / "checkpoints.csv").open())] == [64, 128, 192]
        recipe.write_text(TINY.format(steps=64).replace("dense = 16", "dense = 8"), encoding="utf-8")
        with pytest.raises(BadInput, match="another network than the recipe"):
            run(ReinforceArguments(str(recipe), tmp_path / "next", ["reinvent_base"], begin_with=out))
        with pytest.raises(BadInput, match="holds no checkpoints of a training"):
            run(ReinforceArguments(str(recipe), tmp_path / "next", ["reinvent_base"], begin_with=tmp_path))
        continuous = tmp_path / "model_metadata.json"
        space = {"steering_angle": {"low": -30, "high": 30}, "speed": {"low": 1, "high": 2}}
        continuous.write_text(json.dumps({"action_space_type": "continuous", "action_space": space}))
        with pytest.raises(BadInput, match="needs discrete actions"):
            run(ReinforceArguments(str(recipe), tmp_path / "next", ["reinvent_base"], actions=continuous))
