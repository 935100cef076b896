"""Checks whether a file is a model that the car may run; every refusal is one sentence. Nothing in it is executed here.

Called before every load of a model: `check_model(pathlib.Path("models/selected"))`. Before ONNX Runtime gets the file,
this checks its size, its bytes (onnx_file/scan.py), that its graph is allowed (onnx_check.py), and that inputs and
output fit the metadata.
"""

import hashlib
import os
import pathlib
from dataclasses import dataclass
from typing import Any, Literal

import onnx

from shared.errors import BadInput
from shared.text import text
from vehicle.models.metadata import HEIGHT, WIDTH, Metadata, load_metadata
from vehicle.models.model_files import MAX_MODEL_BYTES, METADATA, MODEL
from vehicle.models.onnx_file.scan import scan_model
from vehicle.models.running.describe import count_parameters, describe_network
from vehicle.models.running.onnx_check import allowed_graph, fixed_dims

__all__ = ["HEIGHT", "WIDTH", "CheckedModel", "Layout", "ModelInput", "check_model"]

Layout = Literal["NCHW", "NHWC"]


@dataclass(frozen=True, slots=True)
class ModelInput:
    """One input of the model: its sensor, its name and its shape in the ONNX graph."""

    sensor: str
    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CheckedModel:
    """A model that passed all checks: its bytes and their meaning. `input_name` is the camera's input.

    `content` is for the runtime: only what was checked. `sha256` is the hash of the file, which may hold more.
    """

    name: str
    path: pathlib.Path
    sha256: str
    content: bytes
    metadata: Metadata
    input_name: str
    output_name: str
    output_shape: tuple[int, ...]
    layout: Layout
    inputs: tuple[ModelInput, ...]
    network: str
    parameters: int


def check_model(path: pathlib.Path, any_sensors: bool = False) -> CheckedModel:
    """The model in a folder (model.onnx and its metadata) or an .onnx file with metadata beside it. Raises BadInput.

    Without `any_sensors` it must be a model for this car, which has one grey front camera.
    """
    # Resolved once: `selected` may be changed meanwhile, and both files must come from the same folder.
    folder = path.parent / path.readlink() if path.is_symlink() and path.is_dir() else path
    file = folder / MODEL if folder.is_dir() else path
    content = _read(file)
    try:
        scanned = scan_model(content)
        graph = allowed_graph(scanned.outline)
    except BadInput as error:
        raise BadInput(f"{file}: {error}") from None
    metadata = load_metadata(file.parent / METADATA, any_sensors)
    try:
        inputs, layout = _inputs(graph, metadata)
        output_name, output_shape = _output(graph, metadata)
    except BadInput as error:
        raise BadInput(f"{file}: {error}") from None
    name = folder.name if folder.is_dir() else path.stem
    sha256 = hashlib.sha256(content).hexdigest()
    if not scanned.is_written_in(memoryview(content)):  # kept by an earlier version, or never imported
        content = b"".join(scanned.pieces())
    return CheckedModel(
        name=name,
        path=file,
        sha256=sha256,
        content=content,
        metadata=metadata,
        input_name=inputs[0].name,
        output_name=output_name,
        output_shape=output_shape,
        layout=layout,
        inputs=inputs,
        network=describe_network(graph, metadata),
        parameters=count_parameters(graph),
    )


def _read(file: pathlib.Path) -> bytes:
    if not file.is_file():
        raise BadInput(
            f"{file}: there is no such model; give a folder with model.onnx and {METADATA}, or an .onnx file."
        )
    try:
        with file.open("rb") as opened:
            # Of its own size: to read more would take the memory for it first.
            content = opened.read(min(os.fstat(opened.fileno()).st_size, MAX_MODEL_BYTES) + 1)
    except OSError as error:
        raise BadInput(f"{file}: the model cannot be read ({error.strerror}).") from None
    if len(content) > MAX_MODEL_BYTES:
        sentence = text("The model is larger than {max} MB, which is not supported.", max=MAX_MODEL_BYTES >> 20)
        raise BadInput(f"{file}: {sentence}")
    return content


def _inputs(graph: Any, metadata: Metadata) -> tuple[tuple[ModelInput, ...], Layout]:
    """The inputs, the camera first, matched to the metadata's sensors by their shapes; and the layout of pictures."""
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    count = len(metadata.sensors)
    if len(inputs) != count:
        what = text("one, the picture") if count == 1 else f"{count}: {', '.join(metadata.sensors)}"
        raise BadInput(text("The model has {n} inputs; it must have {what}.", n=len(inputs), what=what))
    rows, columns, channels = metadata.shape_of(metadata.sensor)
    layouts: dict[tuple[int, ...], Layout] = {
        (1, channels, rows, columns): "NCHW",
        (1, rows, columns, channels): "NHWC",
    }
    by_sensor: dict[str, ModelInput] = {}
    layout: Layout = "NCHW"
    for value in inputs:
        dims = fixed_dims(value) or ()
        is_lidar = bool(metadata.lidar) and dims == (1, metadata.lidar_values)
        if value.type.tensor_type.elem_type != onnx.TensorProto.FLOAT or not (is_lidar or dims in layouts):
            raise BadInput(
                text(
                    "The model's input is {words}; it must be {what}.",
                    words=_shape_text(value),
                    what=_expected_input(metadata),
                )
            )
        sensor = metadata.lidar if is_lidar else metadata.sensor
        layout = layouts.get(dims, layout)
        by_sensor[sensor] = ModelInput(sensor, str(value.name), dims)
    if len(by_sensor) != count:
        raise BadInput(
            text(
                "The model has two inputs of one kind; it must have one for each of {sensors}.",
                sensors=metadata.sensors,
            )
        )
    return tuple(by_sensor[sensor] for sensor in metadata.sensors), layout


def _expected_input(metadata: Metadata) -> str:
    rows, columns, channels = metadata.shape_of(metadata.sensor)
    first, last = f"1x{channels}x{rows}x{columns}", f"1x{rows}x{columns}x{channels}"
    picture = text("float32 of {channels_first} or {channels_last}", channels_first=first, channels_last=last)
    if not metadata.lidar:
        return picture
    return text("{what}, or 1x{n} for the {lidar}", what=picture, n=metadata.lidar_values, lidar=metadata.lidar)


def _output(graph: Any, metadata: Metadata) -> tuple[str, tuple[int, ...]]:
    if len(graph.output) != 1:
        raise BadInput(text("The model has {n} outputs; it must have one, the policy.", n=len(graph.output)))
    value = graph.output[0]
    dims, size = fixed_dims(value), metadata.space.size
    if dims is None or dims not in ((1, size), (size,)) or value.type.tensor_type.elem_type != onnx.TensorProto.FLOAT:
        raise BadInput(
            text(
                "The model answers {words}, but its metadata's {kind} action space needs float32 of 1x{size}: "
                "the model and its metadata do not belong together.",
                words=_shape_text(value),
                kind=metadata.space.kind,
                size=size,
            )
        )
    return str(value.name), dims


def _shape_text(value: Any) -> str:
    dims = fixed_dims(value)
    return "x".join(map(str, dims)) if dims else text("of no fixed shape")
