"""Describes a model in words: actions, layers, number of parameters. Used by the card and by `raceday model`."""

import math
from typing import Any

import onnx

from vehicle.core.actions import ActionSpace
from vehicle.models.metadata import Metadata

_FLOAT = onnx.TensorProto.FLOAT


def describe_space(space: ActionSpace) -> str:
    """The action space in one line."""
    if space.kind == "discrete":
        angles = [choice.steering_deg for choice in space.choices]
        speeds = [choice.speed_mps for choice in space.choices]
        return (
            f"{space.size} discrete actions, steering {min(angles):g} to {max(angles):g} degrees, "
            f"speed {min(speeds):g} to {max(speeds):g} m/s"
        )
    angle, speed = space.angle_deg, space.speed_mps
    return f"continuous, steering {angle.low:g} to {angle.high:g} degrees, speed {speed.low:g} to {speed.high:g} m/s"


def describe_network(graph: Any, metadata: Metadata) -> str:
    """The metadata's name of the network and the layers of the ONNX graph: `shallow: conv 32@8/4, dense 512`."""
    sizes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    layers = [layer for node in graph.node if (layer := _layer(node, sizes))]
    short = metadata.network.removeprefix("DEEP_CONVOLUTIONAL_NETWORK").strip("_").lower() or "middle"
    return f"{short}: {', '.join(layers)}" if layers else short


def _layer(node: Any, sizes: dict[str, tuple[int, ...]]) -> str:
    weights = sizes.get(node.input[1], ()) if len(node.input) > 1 else ()
    if node.op_type == "Conv" and len(weights) == 4:
        strides = next((list(a.ints) for a in node.attribute if a.name == "strides"), [1, 1])
        return f"conv {weights[0]}@{weights[2]}/{strides[0]}"
    if node.op_type in ("Gemm", "MatMul") and len(weights) == 2:
        is_transposed = any(a.name == "transB" and a.i for a in node.attribute)
        return f"dense {weights[0] if is_transposed else weights[1]}"
    return ""


def count_parameters(graph: Any) -> int:
    """The number of trained weights."""
    return sum(math.prod(tensor.dims) for tensor in graph.initializer if tensor.data_type == _FLOAT)
