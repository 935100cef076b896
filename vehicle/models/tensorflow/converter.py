"""Converts a frozen TensorFlow policy to ONNX, and refuses, with a sentence, each operator that it does not know.

Called by importing/make_model.py: `content, head = convert(read_graph(pb_bytes), metadata)`. The policy is found by
policy_head.py, walked by interpreter.py and written by the rules; parity.py compares the result with the original.
The batch is 1, shapes are fixed, pictures are channels first (tensor_layout.py). It knows the operators of
rl_coach's networks as TensorFlow 1.15, TensorFlow 2 in v1 mode, legacy Keras and Keras 3 freeze them
(docs/bring-a-car.md).
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from shared.errors import BadInput
from shared.text import text
from vehicle.models.metadata import Metadata
from vehicle.models.tensorflow import layer_rules, shape_rules
from vehicle.models.tensorflow.graph_builder import BINARY, GraphBuilder, Value
from vehicle.models.tensorflow.graphdef import Graph, Node
from vehicle.models.tensorflow.interpreter import Interpreter
from vehicle.models.tensorflow.policy_head import PolicyHead, find_head
from vehicle.models.tensorflow.tensor_layout import TracedTensor

FREE_VALUES = (1.0, 0.0, 0.3)  # tried in place of a number that the file leaves open: the policy must not depend on it
RULES = layer_rules.RULES | shape_rules.RULES

# Activations that ONNX computes under the same name.
_UNARY = frozenset({"Elu", "Neg", "Relu", "Selu", "Sigmoid", "Softplus", "Sqrt", "Tanh"})
# How many inputs an operator has, of those that have a fixed number (tensorflow/core/ops, the registered signatures).
_INPUTS = dict.fromkeys(_UNARY, 1) | {
    "Cast": 1,
    "ClipByValue": 3,
    "Conv2D": 2,
    "ExpandDims": 2,
    "LeakyRelu": 1,
    "MatMul": 2,
    "Rank": 1,
    "Relu6": 1,
    "Reshape": 2,
    "Shape": 1,
    "Softmax": 1,
    "Square": 1,
    "Squeeze": 1,
    "StridedSlice": 4,
    "Transpose": 2,
}


def convert(graph: Graph, metadata: Metadata) -> tuple[list[bytes | memoryview], PolicyHead]:
    """The pieces of the ONNX file, and the policy's head as it was found. Raises BadInput with one sentence."""
    head = find_head(graph, metadata)
    pieces: list[bytes | memoryview] = []
    digests = set()
    for value in FREE_VALUES if head.free else FREE_VALUES[:1]:
        pieces = []  # the weights are in memory once, not for each value
        pieces = Converter(head, value).convert()
        digests.add(_digest(pieces))
    if len(digests) > 1:
        raise BadInput(
            text("The policy depends on {name!r}, which the file leaves open: freeze it.", name=head.free[0][-80:])
        )
    return pieces, head


def _digest(pieces: Sequence[bytes | memoryview]) -> bytes:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


class Converter:
    """Writes one ONNX graph of the policy in `head`; `free` is the value of every number that the file leaves open."""

    def __init__(self, head: PolicyHead, free: float) -> None:
        self._head = head
        self._free = free
        self._builder = GraphBuilder()

    def convert(self) -> list[bytes | memoryview]:
        """The ONNX model, as the pieces of its file. Raises BadInput if the policy cannot be converted."""
        values: dict[str, Value] = {name: np.array(self._free, np.float32) for name in self._head.free}
        for sensor, placeholder in self._head.placeholders.items():
            shape = self._head.shapes[sensor]
            name = self._builder.onnx.input(
                sensor, (1, shape[2], shape[0], shape[1]) if len(shape) == 3 else (1, *shape)
            )
            values[placeholder] = TracedTensor(
                name, (1, *shape), is_picture=len(shape) == 3, size=(shape[0], shape[-2 % len(shape)])
            )
        answer = Interpreter[TracedTensor](self._emit).run(self._head.order, values)
        if not isinstance(answer, TracedTensor):
            raise BadInput(text("The policy does not depend on the sensors."))
        if answer.is_picture or len(answer.shape) != 2 or answer.order is not None:
            raise BadInput(text("The policy's output is not a vector."))
        return self._builder.onnx.model(self._builder.apply_scale(answer).name, answer.shape)

    def _emit(self, node: Node, inputs: Sequence[Value]) -> Value | None:
        """What the operator gives for these inputs; None if it is not known, or none of them depends on the sensors."""
        if not any(isinstance(x, TracedTensor) for x in inputs):
            return None
        if len(inputs) != _INPUTS.get(node.op, len(inputs)):
            raise BadInput(
                text(
                    "{op} at {name!r} has {n} inputs; it takes {wanted}: export the model again.",
                    op=node.op,
                    name=node.name[:80],
                    n=len(inputs),
                    wanted=_INPUTS[node.op],
                )
            )
        if node.op in _UNARY and isinstance(inputs[0], TracedTensor):
            return self._builder.unary(node.op, inputs[0])
        if node.op in BINARY and len(inputs) == 2:
            return self._builder.binary(node, inputs[0], inputs[1])
        rule = RULES.get(node.op)
        return None if rule is None else rule(self._builder, node, inputs)
