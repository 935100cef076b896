"""Walks a frozen graph from its inputs to the policy: the same loop converts it and computes it in numpy.

Called by converter.py (values are TracedTensor) and by parity.py (values are arrays). TensorFlow 1 encodes a branch as
Switch and Merge: one output of a Switch is dead, so is everything that depends on it, and a Merge passes on the live
input. Conditions such as "is training" are constant, so every Switch can be decided here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from shared.errors import BadInput
from shared.text import text
from vehicle.models.tensorflow.graphdef import Node, Ref, Tensor
from vehicle.models.tensorflow.inlining import PASSES
from vehicle.models.tensorflow.numpy_ops import compute

Live = TypeVar("Live")

_FOLDED_ELEMENTS = 1 << 16
_MAX_VIEWED = 128 << 20
_VIEWS = frozenset({"Reshape", "Squeeze", "ExpandDims", "Transpose"})  # cheap at any size
_NEVER_FOLDED = frozenset({"Conv2D", "MatMul"})


@dataclass(frozen=True, slots=True)
class Dead:
    """The value of a branch that is not taken."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The value of an unsupported operator: refused by name as soon as another node needs it."""

    op: str
    name: str


DEAD = Dead()


class Interpreter(Generic[Live]):
    """Evaluates nodes. `emit` computes what depends on the sensors; it returns None for an unsupported operator."""

    def __init__(self, emit: Callable[[Node, Sequence[Live | Tensor]], Live | Tensor | None]) -> None:
        self._emit = emit
        self._viewed = 0
        self._values: dict[Ref, Live | Tensor | Dead | Unknown] = {}

    def run(self, order: Sequence[Node], given: Mapping[str, Live | Tensor]) -> Live | Tensor:
        """The value of the last node in `order`; `given` are the placeholders' values by name. Raises BadInput."""
        for node in order:
            if node.op == "Switch":
                self._switch(node)
            elif node.op == "Merge":
                self._values[node.name, 0] = self._merge(node)
            else:
                self._values[node.name, 0] = given[node.name] if node.name in given else self._value(node)
        return self._living(self._values[order[-1].name, 0])

    def _value(self, node: Node) -> Live | Tensor | Dead | Unknown:
        if self._is_dead(node):
            return DEAD
        if node.op == "Const":
            value = node.attributes.get("value")
            return value if isinstance(value, np.ndarray) else Unknown("Const of another type", node.name)
        if node.op == "NoOp":
            return np.zeros(0, np.float32)
        values = [self._at(ref) for ref in node.inputs]
        unknown = next((value for value in values if isinstance(value, Unknown)), None)
        if unknown is not None:
            return unknown
        inputs = [self._living(value) for value in values]
        if node.op in PASSES and len(inputs) == 1:
            return inputs[0]
        result: Live | Tensor | None = (
            self._folded(node, inputs) if all(isinstance(x, np.ndarray) for x in inputs) else None
        )
        if result is None and inputs:
            result = self._emit(node, inputs)
        return Unknown(node.op, node.name) if result is None else result

    def _folded(self, node: Node, inputs: Sequence[Live | Tensor]) -> Tensor | None:
        """Computes an operator of constants now, if the result is small; else None. Raises BadInput."""
        tensors = [x for x in inputs if isinstance(x, np.ndarray)]
        large = sum(x.size for x in tensors) > _FOLDED_ELEMENTS and node.op not in _VIEWS
        if large or node.op in _NEVER_FOLDED:
            return None
        if node.op in _VIEWS:
            self._viewed += sum(x.size for x in tensors)
            if self._viewed > _MAX_VIEWED:
                raise BadInput(text("The graph transposes or reshapes its weights too often, which is not supported."))
        result = compute(node, tensors)
        if result is not None and result.size > _FOLDED_ELEMENTS and node.op not in _VIEWS:
            raise BadInput(
                text(
                    "{op} at {name!r} makes a large constant of small ones, which is not supported.",
                    op=node.op,
                    name=node.name[:80],
                )
            )
        return result

    def _switch(self, node: Node) -> None:
        if self._is_dead(node) or len(node.inputs) != 2:
            self._values[node.name, 0] = self._values[node.name, 1] = DEAD
            return
        value, condition = (self._at(ref) for ref in node.inputs)
        if not isinstance(condition, np.ndarray) or condition.size != 1:
            raise BadInput(
                text("The Switch {name!r} depends on the sensors, which is not supported.", name=node.name[:80])
            )
        branch = int(bool(condition.item()))
        self._values[node.name, branch], self._values[node.name, 1 - branch] = value, DEAD

    def _merge(self, node: Node) -> Live | Tensor | Dead | Unknown:
        living = [value for value in map(self._at, node.inputs) if value is not DEAD]
        if len(living) > 1:
            raise BadInput(
                text("The Merge {name!r} has more than one branch alive, which is not supported.", name=node.name[:80])
            )
        return living[0] if living else DEAD

    def _is_dead(self, node: Node) -> bool:
        return any(self._at(ref) is DEAD for ref in node.inputs) or any(
            self._values.get((name, 0)) is DEAD for name in node.control
        )

    def _at(self, ref: Ref) -> Live | Tensor | Dead | Unknown:
        return self._values.get(ref, Unknown("a later output", ref[0]))

    def _living(self, value: Live | Tensor | Dead | Unknown) -> Live | Tensor:
        if isinstance(value, Unknown):
            raise BadInput(
                text(
                    "The graph uses {op!r} at {name!r}, which is not supported.", op=value.op[:40], name=value.name[:80]
                )
            )
        if isinstance(value, Dead):
            raise BadInput(text("The policy depends on a branch that is never taken."))
        return value
