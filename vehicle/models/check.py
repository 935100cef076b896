"""Is this file a model that the car may run? Every refusal is one sentence; nothing in the file is executed here.

Checked before the runtime sees it: size, that it is ONNX, only plain operators without inner graphs, functions,
foreign domains or data outside the file, tensors as large as they say, and fixed shapes that fit the metadata.
"""

import hashlib
import math
import pathlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from shared.errors import BadInput
from vehicle.models.metadata import NAME, Metadata, load_metadata
from vehicle.models.operators import OPS

MOST_BYTES = 64 << 20
MOST_NODES = 500
MOST_ELEMENTS = 16 << 20
MOST_RANK = 8
OPSETS = range(7, 24)
HEIGHT, WIDTH = 120, 160

_FLOAT = onnx.TensorProto.FLOAT
_BYTES_EACH: dict[int, float] = {
    onnx.TensorProto.FLOAT: 4,
    onnx.TensorProto.DOUBLE: 8,
    onnx.TensorProto.FLOAT16: 2,
    onnx.TensorProto.INT8: 1,
    onnx.TensorProto.UINT8: 1,
    onnx.TensorProto.INT32: 4,
    onnx.TensorProto.INT64: 8,
    onnx.TensorProto.BOOL: 1,
}

Layout = Literal["NCHW", "NHWC"]


@dataclass(frozen=True, slots=True)
class CheckedModel:
    """A model that may be loaded: its bytes as they were checked, and what they mean."""

    name: str
    path: pathlib.Path
    sha256: str
    content: bytes
    metadata: Metadata
    input_name: str
    output_name: str
    layout: Layout


def check_model(path: pathlib.Path) -> CheckedModel:
    """The model in a folder (model.onnx and its metadata) or an .onnx file with metadata beside it. Raises BadInput."""
    file = path / "model.onnx" if path.is_dir() else path
    content = _read(file)
    try:
        graph = _graph(content)
        input_name, layout = _input(graph)
    except BadInput as error:
        raise BadInput(f"{file}: {error}") from None
    metadata = load_metadata(file.parent / NAME)
    try:
        output_name = _output(graph, metadata)
    except BadInput as error:
        raise BadInput(f"{file}: {error}") from None
    name = path.name if path.is_dir() else path.stem
    return CheckedModel(
        name, file, hashlib.sha256(content).hexdigest(), content, metadata, input_name, output_name, layout
    )


def _read(file: pathlib.Path) -> bytes:
    if not file.is_file():
        raise BadInput(f"{file}: there is no such model; give a folder with model.onnx and {NAME}, or an .onnx file.")
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{file}: the model cannot be read ({error.strerror}).") from None
    if len(content) > MOST_BYTES:
        raise BadInput(f"{file}: the model is larger than {MOST_BYTES >> 20} MB, which is not run.")
    return content


def _graph(content: bytes) -> Any:
    """The parsed graph once everything in it is allowed."""
    try:
        model = onnx.ModelProto.FromString(content)
    except (DecodeError, ValueError, RecursionError):
        raise BadInput("The file is not an ONNX model.") from None
    if not model.graph.node:
        raise BadInput("The file is not an ONNX model with a graph.")
    _check_opsets(model)
    if model.functions or model.training_info:
        raise BadInput("The model brings functions or training of its own, which are not run.")
    _check_nodes(model.graph.node)
    if model.graph.sparse_initializer:
        raise BadInput("The model holds sparse tensors, which are not run.")
    for tensor in model.graph.initializer:
        _check_tensor(tensor)
    _check_inner_sizes(model)
    return model.graph


def _check_opsets(model: Any) -> None:
    for opset in model.opset_import:
        if opset.domain not in ("", "ai.onnx"):
            raise BadInput(f"The model needs operators of {opset.domain[:40]!r}; only ONNX's own are run.")
        if opset.version not in OPSETS:
            raise BadInput(
                f"The model is of opset {opset.version}; {OPSETS[0]} to {OPSETS[-1]} are run: export it again."
            )


def _check_nodes(nodes: Iterable[Any]) -> None:
    nodes = list(nodes)
    if len(nodes) > MOST_NODES:
        raise BadInput(f"The model has {len(nodes)} operators; at most {MOST_NODES} are run.")
    for node in nodes:
        if node.domain not in ("", "ai.onnx") or node.op_type not in OPS:
            raise BadInput(f"The model uses the operator {node.op_type[:40]!r}, which is not run on the car.")
        for attribute in node.attribute:
            _check_attribute(node, attribute)


def _check_attribute(node: Any, attribute: Any) -> None:
    if attribute.HasField("g") or attribute.graphs:
        raise BadInput(f"The operator {node.op_type} holds an inner graph, which is not run.")
    if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
        raise BadInput(f"The operator {node.op_type} holds a sparse tensor, which is not run.")
    for tensor in [attribute.t] if attribute.HasField("t") else list(attribute.tensors):
        _check_tensor(tensor)


def _check_tensor(tensor: Any) -> None:
    """Its data is in the file, and as much of it as its shape says."""
    name = tensor.name[:40] or "constant"
    if tensor.data_location != onnx.TensorProto.DEFAULT or tensor.external_data:
        raise BadInput(f"The tensor {name!r} keeps its data outside the file, which is not read.")
    each = _BYTES_EACH.get(tensor.data_type)
    if each is None or len(tensor.dims) > MOST_RANK or any(dim < 0 for dim in tensor.dims):
        raise BadInput(f"The tensor {name!r} is of a type or shape that is not run.")
    elements = math.prod(tensor.dims)
    if elements > MOST_ELEMENTS:
        raise BadInput(f"The tensor {name!r} has {elements} elements; at most {MOST_ELEMENTS} are run.")
    held = len(tensor.raw_data) / each if tensor.raw_data else _listed(tensor)
    if held != elements:
        raise BadInput(f"The tensor {name!r} says {elements} elements but holds {held:g}.")


def _listed(tensor: Any) -> int:
    return max(len(tensor.float_data), len(tensor.double_data), len(tensor.int32_data), len(tensor.int64_data))


def _check_inner_sizes(model: Any) -> None:
    """What flows inside stays small, as far as the shapes can be told without running it."""
    try:
        inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError) as error:
        raise BadInput(f"The model's shapes do not fit together ({_first_line(error)}).") from None
    for value in inferred.graph.value_info:
        dims = _dims(value)
        if dims and math.prod(dims) > MOST_ELEMENTS:
            raise BadInput(f"Inside the model {value.name[:40]!r} would have {math.prod(dims)} elements.")


def _input(graph: Any) -> tuple[str, Layout]:
    given = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in given]
    if len(inputs) != 1:
        raise BadInput(f"The model has {len(inputs)} inputs; it must have one, the picture.")
    dims = _dims(inputs[0])
    layouts: dict[tuple[int, ...], Layout] = {(1, 1, HEIGHT, WIDTH): "NCHW", (1, HEIGHT, WIDTH, 1): "NHWC"}
    if dims not in layouts or inputs[0].type.tensor_type.elem_type != _FLOAT:
        raise BadInput(
            f"The model's input is {_shown(inputs[0])}; "
            f"it must be float32 of 1x1x{HEIGHT}x{WIDTH} or 1x{HEIGHT}x{WIDTH}x1."
        )
    return inputs[0].name, layouts[dims]


def _output(graph: Any, metadata: Metadata) -> str:
    if len(graph.output) != 1:
        raise BadInput(f"The model has {len(graph.output)} outputs; it must have one, the policy.")
    value = graph.output[0]
    dims, size = _dims(value), metadata.space.size
    if dims not in ((1, size), (size,)) or value.type.tensor_type.elem_type != _FLOAT:
        raise BadInput(
            f"The model answers {_shown(value)}, but its metadata's {metadata.space.kind} action space "
            f"needs float32 of 1x{size}: the model and its metadata do not belong together."
        )
    return str(value.name)


def _dims(value: Any) -> tuple[int, ...]:
    """The fixed shape of a value; () if it has none."""
    if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
        return ()
    dims = tuple(dim.dim_value if dim.HasField("dim_value") else 0 for dim in value.type.tensor_type.shape.dim)
    return dims if dims and all(dim > 0 for dim in dims) else ()


def _shown(value: Any) -> str:
    dims = _dims(value)
    return "x".join(map(str, dims)) if dims else "of no fixed shape"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:160] or type(error).__name__
