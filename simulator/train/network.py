"""The student: a convolutional network, its training step by imitation, and its export as plain ONNX."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional

from shared.errors import BadInput
from simulator.train.labels import Labels
from simulator.train.recipe import POLICY_SIZE, NetworkRecipe, Recipe

OPSET, IR_VERSION = 17, 8
FRAME_SHAPE = POLICY_SIZE[::-1]
EMA_DECAY = 0.998

Frames = NDArray[np.uint8]
Answers = NDArray[np.float32]


def convolutions(network: NetworkRecipe) -> nn.Sequential:
    """The recipe's network up to its dense layer: (B, 1, height, width) grey in 0..1 to (B, dense)."""
    layers: list[nn.Module] = []
    channels = 1
    for out, kernel, stride in zip(network.filters, network.kernels, network.strides, strict=True):
        layers += [nn.Conv2d(channels, out, kernel, stride), nn.ReLU()]
        channels = out
    height, width = network.shape_after()
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * width, network.dense), nn.ReLU())


def build(network: NetworkRecipe, outputs: int) -> nn.Sequential:
    """The recipe's network with `outputs` answers: logits of discrete actions, or steering and speed."""
    layers = nn.Sequential(*convolutions(network), nn.Linear(network.dense, outputs))
    return layers.to(memory_format=torch.channels_last)


class ImitationLearner:
    """The network in training, and its exponential moving average, which drives and is shipped."""

    def __init__(self, recipe: Recipe, labels: Labels, discrete: bool) -> None:
        torch.manual_seed(recipe.seed)
        self._rng = np.random.default_rng(recipe.seed)
        self._plan, self._discrete = recipe.imitation, discrete
        self._network = build(recipe.network, labels.size)
        self.slow = copy.deepcopy(self._network).eval()
        self._optimiser = torch.optim.AdamW(self._network.parameters(), lr=1e-3, weight_decay=1e-3)
        self._mirror = None
        if labels.mirrored is not None:
            self._mirror = torch.from_numpy(labels.mirrored[0]), torch.from_numpy(labels.mirrored[1])
        self._shrink = recipe.network.shrink

    def student(self, frames: Frames) -> Answers:
        """What the averaged network answers to frames (B, height, width): probabilities, or steering and speed."""
        with torch.inference_mode():
            answers = self.slow(_as_input(torch.from_numpy(frames)))
            if self._discrete:
                answers = torch.softmax(answers, dim=1)
            return np.asarray(answers.numpy(), np.float32)

    def step(self, frames: Frames, labels: Answers, rate: float) -> float:
        """One step on a random batch at learning rate `rate`; returns the loss."""
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        rows = self._rng.integers(0, len(frames), self._plan.batch_frames)
        x = _as_input(torch.from_numpy(frames[rows]))
        x, y = self._varied(x, torch.from_numpy(labels[rows]))
        answers = self._network(x)
        loss = functional.cross_entropy(answers, y) if self._discrete else functional.smooth_l1_loss(answers, y)
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()
        self._follow()
        return float(loss.detach())

    def begin_with(self, weights: dict[str, Any]) -> None:
        """Take over the weights of a network of the same shape."""
        self._network.load_state_dict(weights)
        self.slow.load_state_dict(weights)

    def state(self) -> dict[str, Any]:
        """All that `restore` needs to go on as if nothing had been."""
        return {
            "network": self._network.state_dict(),
            "slow": self.slow.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "rng": self._rng.bit_generator.state,
            "torch_rng": torch.get_rng_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self._network.load_state_dict(state["network"])
        self.slow.load_state_dict(state["slow"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._rng.bit_generator.state = state["rng"]
        torch.set_rng_state(state["torch_rng"])

    def _follow(self) -> None:
        with torch.no_grad():
            for slow, fast in zip(self.slow.parameters(), self._network.parameters(), strict=True):
                slow.lerp_(fast, 1.0 - EMA_DECAY)

    def _varied(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Augment a batch: half of it mirrored, brightness and contrast varied, some with a covered patch."""
        if self._mirror is not None:
            half, (factors, columns) = len(x) // 2, self._mirror
            x = torch.cat([x[:half].flip(3), x[half:]])
            y = torch.cat([y[:half][:, columns] * factors, y[half:]])
        gain = torch.empty(len(x), 1, 1, 1).uniform_(0.75, 1.3)
        offset = torch.empty(len(x), 1, 1, 1).uniform_(-0.12, 0.12)
        x = (x * gain + offset).clamp_(0.0, 1.0)
        for n in range(0, len(x) if self._plan.covered else 0, 4):
            row, column = int(self._rng.integers(0, 100)), int(self._rng.integers(0, 130))
            tall, wide = int(self._rng.integers(6, 34)), int(self._rng.integers(6, 30))
            first, last = row // self._shrink, (row + tall) // self._shrink
            left, right = column // self._shrink, (column + wide) // self._shrink
            x[n, :, first:last, left:right] = float(self._rng.random())
        return x.contiguous(memory_format=torch.channels_last), y


def _as_input(frames: torch.Tensor) -> torch.Tensor:
    return frames.unsqueeze(1).float().div_(255.0).contiguous(memory_format=torch.channels_last)


def as_on_the_car(network: nn.Sequential, recipe: NetworkRecipe) -> nn.Sequential:
    """The network behind a pool that makes the car's 160x120 as small as it has learned on."""
    pool = [nn.AvgPool2d(recipe.shrink)] if recipe.shrink > 1 else []
    return nn.Sequential(*pool, *network)


def write_onnx(network: nn.Sequential, path: Path, outputs: int, name: str, discrete: bool = True) -> None:
    """Write the network as ONNX: input `observation` float32 [1, 1, 120, 160], 0..255, output `policy` [1, outputs].

    Discrete actions are answered with their probabilities, continuous ones with steering and speed in [-1, 1].
    """
    nodes, weights = [helper.make_node("Div", ["observation", "white"], ["x0"])], [_constant("white", np.float32(255))]
    last = "x0"
    for n, layer in enumerate(network, 1):
        nodes.append(_node(layer, last, f"x{n}", n))
        weights += [_constant(f"{name}{n}", value.detach().numpy()) for name, value in layer.named_parameters()]
        last = f"x{n}"
    if discrete:
        nodes.append(helper.make_node("Softmax", [last], ["policy"], axis=1))
    else:
        weights += [_constant("lowest", np.float32(-1)), _constant("highest", np.float32(1))]
        nodes.append(helper.make_node("Clip", [last, "lowest", "highest"], ["policy"]))
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, [1, 1, *FRAME_SHAPE])],
        [helper.make_tensor_value_info("policy", TensorProto.FLOAT, [1, outputs])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="raceday")
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    part = path.with_suffix(".part")
    onnx.save(model, part)
    part.replace(path)


def exported_weights(path: Path, recipe: NetworkRecipe) -> dict[str, torch.Tensor]:
    """The weights of a model that `write_onnx` wrote of such a network. Raises BadInput if it is none of that kind."""
    try:
        written = {each.name: numpy_helper.to_array(each) for each in onnx.load(path).graph.initializer}
    except (OSError, ValueError, DecodeError) as error:
        raise BadInput(f"{path}: the model cannot be read ({' '.join(str(error).split())[:200]}).") from error
    first = 2 if recipe.shrink > 1 else 1  # behind the pool
    places = [place for place, layer in enumerate(build(recipe, 1)) if list(layer.parameters())]
    names = {f"{place}.{kind}": f"{kind}{place + first}" for place in places for kind in ("weight", "bias")}
    if any(name not in written for name in names.values()):
        raise BadInput(f"{path}: the model has another network than the recipe: train anew, or change the recipe.")
    return {place: torch.from_numpy(written[name].copy()) for place, name in names.items()}


def _constant(name: str, value: "NDArray[np.float32] | np.float32") -> onnx.TensorProto:
    return numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name)


def _node(layer: nn.Module, source: str, result: str, n: int) -> onnx.NodeProto:
    if isinstance(layer, nn.Conv2d):
        return helper.make_node(
            "Conv",
            [source, f"weight{n}", f"bias{n}"],
            [result],
            strides=list(layer.stride),
            kernel_shape=list(layer.kernel_size),
        )
    if isinstance(layer, nn.Linear):
        return helper.make_node("Gemm", [source, f"weight{n}", f"bias{n}"], [result], transB=1)
    if isinstance(layer, nn.AvgPool2d):
        side = int(layer.kernel_size)
        return helper.make_node("AveragePool", [source], [result], kernel_shape=[side, side], strides=[side, side])
    kinds = {nn.ReLU: "Relu", nn.Flatten: "Flatten"}
    return helper.make_node(kinds[type(layer)], [source], [result])
