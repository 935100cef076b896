"""Checks the graph of an ONNX file that the car is to run; nothing in the file is executed here. Used by check.py.

The bytes have been scanned before (onnx_file/scan.py): what is read here is small. Refused are foreign operators;
values inside of unknown or excessive size, or of types that no policy has; a policy that does not depend on what the
car sees; and more arithmetic than a car can do between two frames.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import onnx

from shared.errors import BadInput
from shared.text import text
from vehicle.models.onnx_file.tensors import BYTES_EACH, FOLLOWED_ELEMENTS
from vehicle.models.running.allowed_operators import OPS
from vehicle.models.running.runtime_words import shapes_do_not_fit

MAX_NODES = 500
MAX_ELEMENTS = 16 << 20
MAX_HANDLED = 64 << 20  # elements for a frame, counted once for each input of the operator that makes them
MAX_PRODUCTS = 2_000_000_000  # multiplications for a frame; the largest DeepRacer network needs 1,200 million
OPSETS = range(7, 24)
_MADE_TYPES = ("to", "output_dtype")  # attributes that say the type of what an operator makes


def allowed_graph(outline: bytes) -> Any:
    """The graph (onnx.GraphProto) in a model's outline once everything in it is allowed.

    Raises BadInput with one sentence.
    """
    model = onnx.ModelProto.FromString(outline)
    if not model.graph.node:
        raise BadInput(text("The file is not an ONNX model with a graph."))
    _check_opsets(model)
    _check_nodes(model.graph.node)
    if len({tensor.name for tensor in model.graph.initializer}) < len(model.graph.initializer):
        raise BadInput(text("The model holds two weights of one name."))
    _check_names(model.graph)
    _check_products(model.graph, _inner_sizes(model))
    return model.graph


def _check_opsets(model: Any) -> None:
    own = [opset for opset in model.opset_import if opset.domain in ("", "ai.onnx")]
    if len(own) != 1:
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
        if node.op_type == "Dropout" and len(node.input) > 2 and node.input[2]:
            raise BadInput(text("The model drops values at random, as in training: export it for inference."))
        for attribute in node.attribute:
            _check_attribute(node, attribute)


def _check_names(graph: Any) -> None:
    made = {value.name for value in (*graph.input, *graph.initializer)}
    for name in (name for node in graph.node for name in node.output if name):
        if name in made:
            raise BadInput(text("The model makes two values of the name {name!r}: export it again.", name=name[:40]))
        made.add(name)


def _check_attribute(node: Any, attribute: Any) -> None:
    if node.op_type == "BatchNormalization" and attribute.name == "training_mode" and attribute.i:
        raise BadInput(text("The model normalises as in training: export it for inference."))
    if node.op_type == "Constant" and attribute.name in ("value_string", "value_strings"):
        raise BadInput(text("The model holds a constant of text, which is not supported."))
    if attribute.name in _MADE_TYPES and attribute.i and attribute.i not in BYTES_EACH:
        raise BadInput(text("The operator {name} makes values of a type that is not supported.", name=node.op_type))


def _inner_sizes(model: Any) -> dict[str, tuple[int, ...]]:
    """The inferred shape of every value. Raises BadInput for one that is not fixed or too large."""
    try:
        inferred = onnx.shape_inference.infer_shapes(_outline(model), check_type=True, strict_mode=True, data_prop=True)
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError) as error:
        raise BadInput(shapes_do_not_fit(error)) from None
    graph = inferred.graph
    sizes = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims, kind = fixed_dims(value), value.type.tensor_type.elem_type
        if kind and kind not in BYTES_EACH:
            raise BadInput(text("Inside the model {name!r} is of a type that is not supported.", name=value.name[:40]))
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
        if math.prod(tensor.dims) <= FOLLOWED_ELEMENTS:
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


def check_dependence(outline: bytes) -> None:
    """Raises BadInput unless the policy depends on each input; what is asked for its shape alone does not count.

    Called when a model is imported, as a frozen graph is refused then for the same.
    """
    graph = onnx.ModelProto.FromString(outline).graph
    weights = {tensor.name for tensor in graph.initializer}
    needed = {value.name for value in graph.output} - weights
    for node in reversed(graph.node):
        if needed.intersection(node.output) and node.op_type != "Shape":
            needed.update(node.input)
    for value in graph.input:
        if value.name not in weights | needed:
            raise BadInput(
                text(
                    "The policy does not depend on the input {name!r}: it would drive the same whatever the car sees.",
                    name=value.name[:40],
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
