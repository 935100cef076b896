"""What an ONNX file may hold: its messages and fields by number, how many of each, and what refuses the file.

Used by scan.py. A field that stands in neither table is left out of what is kept: documentation, metadata, shapes
inside (which are inferred anew), annotations, and whatever no version of ONNX knows. Source: onnx/onnx (onnx.proto).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from shared.text import Sentence, text

Kind = Literal["integer", "float", "integers", "floats", "name", "bytes", "message", "tensor"]

MAX_RANK = 8
_MANY = 4096  # of a graph's operators, weights and inputs; how many may drive is a matter of running/onnx_check.py
_LISTED = 1024  # of an operator's inputs or of an attribute's numbers


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One field: its kind, how often it may stand, what several of it are called, and the message that it holds."""

    kind: Kind
    max_count: int = 1
    what: str = ""
    message: str = ""


_NUMBERS = text("numbers of one attribute")

MESSAGES: Mapping[str, Mapping[int, FieldRule]] = {
    "ModelProto": {
        1: FieldRule("integer"),
        2: FieldRule("name"),
        3: FieldRule("name"),
        7: FieldRule("message", message="GraphProto"),
        8: FieldRule("message", 64, text("versions of operators"), "OperatorSetIdProto"),
    },
    "OperatorSetIdProto": {1: FieldRule("name"), 2: FieldRule("integer")},
    "GraphProto": {
        1: FieldRule("message", _MANY, text("operators"), "NodeProto"),
        2: FieldRule("name"),
        5: FieldRule("tensor", _MANY, text("weights")),
        11: FieldRule("message", _MANY, text("inputs"), "ValueInfoProto"),
        12: FieldRule("message", 64, text("outputs"), "ValueInfoProto"),
    },
    "NodeProto": {
        1: FieldRule("name", _LISTED, text("inputs of one operator")),
        2: FieldRule("name", 64, text("outputs of one operator")),
        3: FieldRule("name"),
        4: FieldRule("name"),
        5: FieldRule("message", 64, text("attributes of one operator"), "AttributeProto"),
        7: FieldRule("name"),
    },
    "AttributeProto": {
        1: FieldRule("name"),
        2: FieldRule("float"),
        3: FieldRule("integer"),
        4: FieldRule("bytes"),
        5: FieldRule("tensor"),
        7: FieldRule("floats", _LISTED, _NUMBERS),
        8: FieldRule("integers", _LISTED, _NUMBERS),
        9: FieldRule("bytes", 64, text("texts of one attribute")),
        20: FieldRule("integer"),
    },
    "ValueInfoProto": {1: FieldRule("name"), 2: FieldRule("message", message="TypeProto")},
    "TypeProto": {1: FieldRule("message", message="TypeProto.Tensor")},
    "TypeProto.Tensor": {1: FieldRule("integer"), 2: FieldRule("message", message="TensorShapeProto")},
    "TensorShapeProto": {1: FieldRule("message", 64, text("dimensions"), "TensorShapeProto.Dimension")},
    "TensorShapeProto.Dimension": {1: FieldRule("integer"), 2: FieldRule("name")},
}


def _own_steps(_operator: str) -> Sentence:
    return text("The model has functions or training steps of its own, which are not supported.")


def _inner_graph(operator: str) -> Sentence:
    return text(
        "The model uses the operator {operator!r}, which holds an inner graph: that is not supported.",
        operator=operator[:40],
    )


def _sparse(_operator: str) -> Sentence:
    return text("The model holds sparse tensors, which are not supported.")


def _other_kind(operator: str) -> Sentence:
    return text(
        "The model's operator {operator!r} has an attribute of a kind that is not supported.", operator=operator[:40]
    )


def _no_tensor(_operator: str) -> Sentence:
    return text("An input or output of the model is no tensor, which is not supported.")


# What is said of a field that refuses the file; the argument is the name of the operator in which it stands.
REFUSED: Mapping[tuple[str, int], Callable[[str], Sentence]] = {
    ("ModelProto", 20): _own_steps,
    ("ModelProto", 25): _own_steps,
    ("GraphProto", 15): _sparse,
    ("AttributeProto", 6): _inner_graph,
    ("AttributeProto", 11): _inner_graph,
    ("AttributeProto", 10): _other_kind,
    ("AttributeProto", 14): _other_kind,
    ("AttributeProto", 15): _other_kind,
    ("AttributeProto", 21): _other_kind,
    ("AttributeProto", 22): _sparse,
    ("AttributeProto", 23): _sparse,
    ("TypeProto", 4): _no_tensor,
    ("TypeProto", 5): _no_tensor,
    ("TypeProto", 7): _no_tensor,
    ("TypeProto", 8): _no_tensor,
    ("TypeProto", 9): _no_tensor,
}
