"""Checks the content of an ONNX file that the car is to run; nothing in the file is executed here. Used by check.py.

Refused are subgraphs, functions, foreign operator domains and external data; tensors whose data do not match their
shape; values inside of unknown or excessive size; and more arithmetic than a car can do between two frames.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from shared.errors import BadInput
from shared.text import text
from vehicle.models.running.allowed_operators import OPS

MAX_NODES = 500
MAX_JOINED = 1024  # inputs of one operator
MAX_ELEMENTS = 16 << 20
MAX_HANDLED = 64 << 20  # elements for a frame, counted once for each input of the operator that makes them
MAX_WEIGHTS = 64 << 20
MAX_PRODUCTS = 2_000_000_000  # multiplications for a frame; the largest DeepRacer network needs 1,200 million
MAX_RANK = 8
OPSETS = range(7, 24)
_FOLLOWED_ELEMENTS = 1024

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


def allowed_graph(content: bytes) -> Any:
    """The parsed graph (onnx.GraphProto) once everything in it is allowed. Raises BadInput with one sentence."""
    try:
        model = onnx.ModelProto.FromString(content)
    except (DecodeError, ValueError, RecursionError):
        raise BadInput(text("The file is not an ONNX model.")) from None
    if not model.graph.node:
        raise BadInput(text("The file is not an ONNX model with a graph."))
    _check_opsets(model)
    if model.functions or model.training_info:
        raise BadInput(text("The model has functions or training steps of its own, which are not supported."))
    _check_nodes(model.graph.node)
    if model.graph.sparse_initializer:
        raise BadInput(text("The model holds sparse tensors, which are not supported."))
    for tensor in model.graph.initializer:
        _check_tensor(tensor)
    if len({tensor.name for tensor in model.graph.initializer}) < len(model.graph.initializer):
        raise BadInput(text("The model holds two weights of one name."))
    _check_products(model.graph, _inner_sizes(model))
    return model.graph


def _check_opsets(model: Any) -> None:
    own = [opset for opset in model.opset_import if opset.domain in ("", "ai.onnx")]
    if len(own) > 1:
        raise BadInput(text("The model names {n} versions of ONNX's operators; it must name one.", n=len(own)))
    for opset in model.opset_import:
        if opset.domain not in ("", "ai.onnx"):
            raise BadInput(
                text(
                    "The model needs operators of {domain!r}; only ONNX's own are supported.", domain=opset.domain[:40]
                )
            )
        if opset.version not in OPSETS:
            raise BadInput(
                text(
                    "The model is of opset {version}; {first} to {last} are supported: export it again.",
                    version=opset.version,
                    first=OPSETS[0],
                    last=OPSETS[-1],
                )
            )


def _check_nodes(nodes: Iterable[Any]) -> None:
    nodes = list(nodes)
    if len(nodes) > MAX_NODES:
        raise BadInput(text("The model has {n} operators; at most {max} are supported.", n=len(nodes), max=MAX_NODES))
    for node in nodes:
        if node.domain not in ("", "ai.onnx") or node.op_type not in OPS:
            raise BadInput(
                text("The model uses the operator {name!r}, which the car does not support.", name=node.op_type[:40])
            )
        if len(node.input) > MAX_JOINED:
            raise BadInput(
                text(
                    "The operator {name} has {n} inputs; at most {max} are supported.",
                    name=node.op_type,
                    n=len(node.input),
                    max=MAX_JOINED,
                )
            )
        if node.op_type == "Dropout" and len(node.input) > 2 and node.input[2]:
            raise BadInput(text("The model drops values at random, as in training: export it for inference."))
        for attribute in node.attribute:
            _check_attribute(node, attribute)


def _check_attribute(node: Any, attribute: Any) -> None:
    if attribute.HasField("g") or attribute.graphs:
        raise BadInput(text("The operator {name} holds an inner graph, which is not supported.", name=node.op_type))
    if node.op_type == "BatchNormalization" and attribute.name == "training_mode" and attribute.i:
        raise BadInput(text("The model normalises as in training: export it for inference."))
    if node.op_type == "Constant" and attribute.name in ("value_string", "value_strings"):
        raise BadInput(text("The model holds a constant of text, which is not supported."))
    if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
        raise BadInput(text("The operator {name} holds a sparse tensor, which is not supported.", name=node.op_type))
    for tensor in [attribute.t] if attribute.HasField("t") else list(attribute.tensors):
        _check_tensor(tensor)


def _check_tensor(tensor: Any) -> None:
    """Raises BadInput unless the data is in the file and has the size that its shape implies."""
    name = tensor.name[:40] or "constant"
    if tensor.data_location != onnx.TensorProto.DEFAULT or tensor.external_data:
        raise BadInput(text("The tensor {name!r} has its data outside the file, which is not supported.", name=name))
    each = _BYTES_EACH.get(tensor.data_type)
    if each is None or len(tensor.dims) > MAX_RANK or any(dim < 0 for dim in tensor.dims):
        raise BadInput(text("The tensor {name!r} is of a type or shape that is not supported.", name=name))
    elements = math.prod(tensor.dims)
    if elements > MAX_WEIGHTS:
        raise BadInput(
            text(
                "The tensor {name!r} has {elements} elements; at most {max} are supported.",
                name=name,
                elements=elements,
                max=MAX_WEIGHTS,
            )
        )
    stored = len(tensor.raw_data) / each if tensor.raw_data else _listed(tensor)
    if stored != elements:
        raise BadInput(
            text(
                "The tensor {name!r} says {elements} elements but holds {stored:g}.",
                name=name,
                elements=elements,
                stored=stored,
            )
        )


def _listed(tensor: Any) -> int:
    return max(len(tensor.float_data), len(tensor.double_data), len(tensor.int32_data), len(tensor.int64_data))


def _inner_sizes(model: Any) -> dict[str, tuple[int, ...]]:
    """The inferred shape of every value. Raises BadInput for one that is not fixed or too large."""
    try:
        inferred = onnx.shape_inference.infer_shapes(_outline(model), check_type=True, strict_mode=True, data_prop=True)
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError) as error:
        raise BadInput(text("The model's shapes do not fit together ({why}).", why=_first_line(error))) from None
    graph = inferred.graph
    sizes = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims = fixed_dims(value)
        if dims is not None:
            sizes.setdefault(value.name, dims)
    for node in model.graph.node:
        for name in filter(None, node.output):
            if name not in sizes:
                raise BadInput(
                    text("Inside the model {name!r} has no fixed shape: export it with fixed shapes.", name=name[:40])
                )
            if math.prod(sizes[name]) > MAX_ELEMENTS:
                raise BadInput(
                    text(
                        "Inside the model {name!r} would have {elements} elements.",
                        name=name[:40],
                        elements=math.prod(sizes[name]),
                    )
                )
    return sizes


def _outline(model: Any) -> Any:
    """The model without its weights, whose shapes are enough for the inference: a hundredth of the memory."""
    outline = onnx.ModelProto(ir_version=max(model.ir_version, 4), opset_import=model.opset_import)
    graph, given = outline.graph, model.graph
    graph.name = "outline"
    graph.node.extend(given.node)
    graph.output.extend(given.output)  # the file's own value_info is untrusted and left out: shapes are inferred
    graph.input.extend(given.input)
    input_names = {value.name for value in given.input}
    for tensor in given.initializer:
        if math.prod(tensor.dims) <= _FOLLOWED_ELEMENTS:
            graph.initializer.append(tensor)
        elif tensor.name not in input_names:
            graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    return outline


def _check_products(graph: Any, sizes: Mapping[str, tuple[int, ...]]) -> None:
    """Raises BadInput if a frame needs more arithmetic than any car can do, before the model is run."""
    handled = sum(
        math.prod(sizes[name]) * max(1, len(node.input)) for node in graph.node for name in filter(None, node.output)
    )
    if handled > MAX_HANDLED:
        raise BadInput(
            text(
                "The model handles {millions} million numbers a frame; no car keeps up with that.",
                millions=handled // 1_000_000,
            )
        )
    total = sum(_products(node, sizes) for node in graph.node)
    if total > MAX_PRODUCTS:
        raise BadInput(
            text(
                "The model multiplies {millions} million times a frame; no car keeps up with that.",
                millions=total // 1_000_000,
            )
        )


_WEIGHTS_AT = {"Conv": 1, "Gemm": 1, "MatMul": 1, "QLinearConv": 3, "QLinearMatMul": 3}


def _products(node: Any, sizes: Mapping[str, tuple[int, ...]]) -> int:
    if "Pool" in node.op_type:
        window = next((attribute.ints for attribute in node.attribute if attribute.name == "kernel_shape"), ())
        return math.prod(sizes[node.output[0]]) * math.prod(window)
    place = _WEIGHTS_AT.get(node.op_type)
    if place is None:
        return 0
    outputs = math.prod(sizes[node.output[0]])
    weights = sizes.get(node.input[place], ()) if len(node.input) > place else ()
    if "Conv" in node.op_type:
        return outputs * math.prod(weights[1:])
    if not weights:
        return outputs
    is_transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
    return outputs * (weights[-1] if is_transposed or len(weights) == 1 else weights[-2])


def fixed_dims(value: Any) -> tuple[int, ...] | None:
    """The fixed shape of a value (onnx.ValueInfoProto), () for a scalar; None if it is not fixed."""
    if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
        return None
    dims = tuple(dim.dim_value if dim.HasField("dim_value") else 0 for dim in value.type.tensor_type.shape.dim)
    return dims if all(dim > 0 for dim in dims) else None


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:160] or type(error).__name__
