"""A training by reinforcement, as short as can be: what it writes, what it goes on from, what it refuses."""

import csv
import json
import pathlib
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from shared.errors import BadInput
from simulator.driving.policy import find_model, load_policy
from simulator.train.recipe import NetworkRecipe
from vehicle.models.metadata import load_metadata

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

TINY_IMITATION = """
[imitation]
rounds = 2
steps = 20
batch_frames = 8
frames_a_car = 16
both_ways = false
"""

# The extra 'train' is not part of what the product or CI needs.
if find_spec("torch") is not None and find_spec("stable_baselines3") is not None:

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
    def test_a_tiny_training_leaves_its_best_checkpoint_and_goes_on(tmp_path: pathlib.Path) -> None:
        import torch
        from stable_baselines3 import PPO

        from simulator.train.command import TrainArguments, run

        recipe, reward, out = tmp_path / "tiny.toml", tmp_path / "reward_function.py", tmp_path / "model"
        recipe.write_text(TINY.format(steps=128), encoding="utf-8")
        reward.write_text("def reward_function(params):\n    return float(params['progress'] >= 0)\n", encoding="utf-8")
        order = TrainArguments(str(recipe), out, ["reinvent_base"], reward=str(reward))
        run(order)
        assert {path.name for path in out.iterdir()} == {
            "model.onnx",
            "model_metadata.json",
            "card.json",
            "progress.csv",
            "progress.html",
            "progress.de.html",
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

        assert "The training is over: all frames are driven." in (out / "progress.html").read_text(encoding="utf-8")

        reward.write_text("def reward_function(params):\n    return params['nothing']\n", encoding="utf-8")
        with pytest.raises(BadInput, match=r"reward_function.py:2: .*KeyError: 'nothing'"):
            run(replace(order, out=tmp_path / "failed"))
        failed = (tmp_path / "failed" / "progress.html").read_text(encoding="utf-8")
        assert "The training has failed." in failed
        assert "failed with KeyError: &#39;nothing&#39;" in failed
        with pytest.raises(BadInput, match="holds a training already: give --resume"):
            run(order)
        recipe.write_text(TINY.format(steps=192), encoding="utf-8")
        run(TrainArguments(str(recipe), out, ["reinvent_base"], resume=True))
        assert [int(row["steps"]) for row in csv.DictReader((out / "checkpoints.csv").open())] == [64, 128, 192]
        assert load_metadata(out / "checkpoints" / "model_metadata.json") == load_metadata(out / "model_metadata.json")
        recipe.write_text(TINY.format(steps=64).replace("dense = 16", "dense = 8"), encoding="utf-8")
        with pytest.raises(BadInput, match="another network than the recipe"):
            run(TrainArguments(str(recipe), tmp_path / "next", ["reinvent_base"], begin_with=out))
        with pytest.raises(BadInput, match="There is no model at"):
            run(TrainArguments(str(recipe), tmp_path / "next", ["reinvent_base"], begin_with=tmp_path))
        with pytest.raises(BadInput, match="another network than the recipe"):
            run(TrainArguments(str(recipe), tmp_path / "next", begin_with=out / "model.onnx"))
        with pytest.raises(BadInput, match="are those of imitation"):
            run(TrainArguments(str(recipe), tmp_path / "next", rounds=3))

    def write(path: pathlib.Path, steps: int = 32, **changed: str) -> str:
        """A tiny recipe of imitation and reinforcement, with lines before it."""
        lines = "\n".join(f"{name} = {value}" for name, value in ({"method": "'dagger+ppo'"} | changed).items())
        path.write_text(f"{lines}\n{TINY.format(steps=steps)}{TINY_IMITATION}", encoding="utf-8")
        return str(path)

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
    @pytest.mark.parametrize("method", ["dagger", "ppo", "dagger+ppo"])
    def test_continuous_actions_are_learned_and_drive_the_car(tmp_path: pathlib.Path, method: str) -> None:
        """The shipped model answers as the learner does, in the ranges of the racer's metadata, on the car's policy."""
        from simulator.train.command import TrainArguments, run

        space = {"steering_angle": {"low": -25, "high": 30}, "speed": {"low": 0.5, "high": 2}}
        metadata = tmp_path / "actions.json"
        metadata.write_text(json.dumps({"action_space_type": "continuous", "action_space": space}))
        out = tmp_path / "model"
        run(TrainArguments(write(tmp_path / "tiny.toml", method=f"'{method}'"), out, actions=metadata))
        policy = load_policy(str(out))
        actions = set()
        for seed in range(3):
            frame = np.random.default_rng(seed).integers(0, 256, (240, 320), dtype=np.uint8)
            action = policy.act(frame)
            answer = policy._model.answer().ravel().tolist()
            assert -1.0 <= min(answer) <= max(answer) <= 1.0
            assert action == policy._model.model.metadata.space.decode(np.array(answer), policy.throttle_scale)
            assert 0.0 < action.throttle <= 0.5
            actions.add(action)
        assert len(actions) > 1
        assert json.loads((out / "model_metadata.json").read_text())["action_space"] == space

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
    def test_imitation_can_be_stopped_and_gone_on_with_and_reinforcement_follows(
        tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Stopped in the middle of a round, it becomes the model that it would have become; round boxes, too."""
        from simulator.train import course
        from simulator.train.command import TrainArguments, run
        from simulator.train.network import exported_weights

        recipe = write(tmp_path / "tiny.toml", method="'dagger'", race="{ type = 'object_avoidance', boxes = 2 }")
        whole, parts = tmp_path / "whole", tmp_path / "parts"
        run(TrainArguments(recipe, whole))
        steps = [int(row["steps"]) for row in csv.DictReader((whole / "checkpoints.csv").open())]
        assert steps == [128, 192]
        assert not (whole / "drives").exists()
        assert {"MODEL_CARD.md", "rounds.png", "model.onnx"} <= {path.name for path in whole.iterdir()}
        asked = iter([False, True])  # once a round, in its middle
        monkeypatch.setattr(course.Course, "is_time_up", lambda *_: next(asked))
        run(TrainArguments(recipe, parts))
        assert (parts / "drives").is_dir()
        monkeypatch.undo()
        run(TrainArguments(recipe, parts, resume=True))
        assert (parts / "checkpoints" / "000000192.onnx").read_bytes() == (
            whole / "checkpoints" / "000000192.onnx"
        ).read_bytes()
        rows = list(csv.DictReader((parts / "progress.csv").open()))
        assert [int(row["steps"]) for row in rows] == [128, 192]
        assert all(float(row["loss"]) > 0.0 for row in rows)

        both, follower = write(tmp_path / "both.toml"), tmp_path / "both"
        run(TrainArguments(both, follower, begin_with=whole))
        assert {path.name for path in (follower / "checkpoints").glob("*.[pz]*")} >= {"000000192.pt", "000000256.zip"}
        run(TrainArguments(write(tmp_path / "both.toml", steps=64), follower, resume=True))
        last = list(csv.DictReader((follower / "progress.csv").open()))[-1]
        assert (int(last["steps"]), last["loss"]) == (256, "")
        run(TrainArguments(write(tmp_path / "ppo.toml", method="'ppo'"), tmp_path / "next", begin_with=whole))
        run(TrainArguments(recipe, tmp_path / "after", begin_with=follower))
        ppo, shipped = write(tmp_path / "ppo.toml", method="'ppo'"), tmp_path / "shipped"
        run(TrainArguments(ppo, shipped, begin_with=whole / "model.onnx", minutes=1e-9))  # not a frame is driven
        tiny = NetworkRecipe(filters=(4,), kernels=(8,), strides=(4,), dense=16)
        before, after = (exported_weights(each / "model.onnx", tiny) for each in (whole, shipped))
        assert before.keys() == after.keys()
        assert all(np.array_equal(before[name], after[name]) for name in before)
        demo = find_model("demo").with_name("model_metadata.json")  # 14 actions
        with pytest.raises(BadInput, match="or other actions"):
            run(TrainArguments(ppo, tmp_path / "other", actions=demo, begin_with=whole))
        with pytest.raises(BadInput, match="imitation knows none"):
            run(TrainArguments(recipe, tmp_path / "never", reward="reward_function.py"))
