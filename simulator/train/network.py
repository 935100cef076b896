"""The student: a small convolutional network, its training step, and its export as plain ONNX."""

import copy
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional

from simulator.train.rollout import FRAME_SHAPE, Frames, Shares
from simulator.train.spaces import CHOICES, mirror

OPSET, IR_VERSION = 17, 8
FILTERS = ((24, 8, 4), (32, 3, 2), (48, 3, 2), (48, 3, 1))  # channels, kernel, stride
DENSE = 96
EMA_DECAY = 0.998
BATCH = 256


def build() -> nn.Sequential:
    """Build the network: (B, 1, 120, 160) grey in 0..1 to (B, N) logits."""
    layers: list[nn.Module] = []
    channels, height, width = 1, *FRAME_SHAPE
    for out, kernel, stride in FILTERS:
        layers += [nn.Conv2d(channels, out, kernel, stride), nn.ReLU()]
        channels, height, width = out, (height - kernel) // stride + 1, (width - kernel) // stride + 1
    layers += [nn.Flatten(), nn.Linear(channels * height * width, DENSE), nn.ReLU(), nn.Linear(DENSE, len(CHOICES))]
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


class ImitationLearner:
    """The network in training, and its exponential moving average, which drives and is shipped."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        self._rng = np.random.default_rng(seed)
        self._network = build()
        self.slow = copy.deepcopy(self._network).eval()
        self._optimiser = torch.optim.AdamW(self._network.parameters(), lr=1e-3, weight_decay=1e-3)
        self._mirror = torch.from_numpy(mirror())

    def student(self, frames: Frames) -> Shares:
        """Probabilities (B, N) of the averaged network for frames (B, 120, 160)."""
        with torch.inference_mode():
            logits = self.slow(_as_input(torch.from_numpy(frames)))
            return np.asarray(torch.softmax(logits, dim=1).numpy(), np.float32)

    def step(self, frames: Frames, shares: Shares, rate: float) -> float:
        """One step on a random batch at learning rate `rate`; returns the loss (cross-entropy)."""
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        rows = self._rng.integers(0, len(frames), BATCH)
        x = _as_input(torch.from_numpy(frames[rows]))
        y = torch.from_numpy(shares[rows])
        x, y = self._varied(x, y)
        loss = functional.cross_entropy(self._network(x), y)
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()
        self._follow()
        return float(loss.detach())

    def _follow(self) -> None:
        with torch.no_grad():
            for slow, fast in zip(self.slow.parameters(), self._network.parameters(), strict=True):
                slow.lerp_(fast, 1.0 - EMA_DECAY)

    def _varied(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Augment a batch: half of it mirrored, brightness and contrast varied, some with a covered patch."""
        half = len(x) // 2
        x = torch.cat([x[:half].flip(3), x[half:]])
        y = torch.cat([y[:half][:, self._mirror], y[half:]])
        gain = torch.empty(len(x), 1, 1, 1).uniform_(0.75, 1.3)
        offset = torch.empty(len(x), 1, 1, 1).uniform_(-0.12, 0.12)
        x = (x * gain + offset).clamp_(0.0, 1.0)
        for n in range(0, len(x), 4):
            row, column = int(self._rng.integers(0, 100)), int(self._rng.integers(0, 130))
            tall, wide = int(self._rng.integers(6, 34)), int(self._rng.integers(6, 30))
            x[n, :, row : row + tall, column : column + wide] = float(self._rng.random())
        return x.contiguous(memory_format=torch.channels_last), y


def _as_input(frames: torch.Tensor) -> torch.Tensor:
    return frames.unsqueeze(1).float().div_(255.0).contiguous(memory_format=torch.channels_last)


def write_onnx(network: nn.Sequential, path: Path, actions: int = len(CHOICES), name: str = "raceday-demo") -> None:
    """Write the network as ONNX: input `observation` float32 [1, 1, 120, 160], 0..255, output `policy` [1, actions]."""
    nodes, weights = [helper.make_node("Div", ["observation", "white"], ["x0"])], [_constant("white", np.float32(255))]
    last = "x0"
    for n, layer in enumerate(network, 1):
        nodes.append(_node(layer, last, f"x{n}", n))
        weights += [_constant(f"{name}{n}", value.detach().numpy()) for name, value in layer.named_parameters()]
        last = f"x{n}"
    nodes.append(helper.make_node("Softmax", [last], ["policy"], axis=1))
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, [1, 1, *FRAME_SHAPE])],
        [helper.make_tensor_value_info("policy", TensorProto.FLOAT, [1, actions])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="raceday")
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    part = path.with_suffix(".part")
    onnx.save(model, part)
    part.replace(path)


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
