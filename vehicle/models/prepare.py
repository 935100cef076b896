"""From what a racer brings to a model's folder: read, convert, check, compare, time, write the card.

Runs in a child with limits (jail.py). The folder is empty and nobody reads it yet; it becomes a model only when the
parent moves it into the library.
"""

import dataclasses
import os
import pathlib
import sys
from dataclasses import dataclass

from shared.errors import BadInput
from vehicle.models.allowed import allowed_graph
from vehicle.models.card import CARD, Card, Timing
from vehicle.models.check import MODEL, CheckedModel, check_model
from vehicle.models.convert import convert
from vehicle.models.describe import describe_space
from vehicle.models.graphdef import Tensor, read_graph
from vehicle.models.metadata import NAME, Metadata, parse_metadata
from vehicle.models.parity import compare, frozen_answers
from vehicle.models.session import open_session
from vehicle.models.source import Source, read_source
from vehicle.models.timing import time_model


def prepare(path: pathlib.Path, folder: pathlib.Path, metadata_path: pathlib.Path | None = None) -> Card:
    """Writes model.onnx, model_metadata.json and card.json into `folder`. Raises BadInput with one sentence."""
    try:
        return _prepared(read_source(path, metadata_path), folder)
    except BadInput as error:
        # What is named by our own folder's name means nothing to a racer.
        sentence = str(error).removeprefix(f"{path}: ")
        sentence = sentence.removeprefix(f"{folder / MODEL}: ").removeprefix(f"{folder / NAME}: ")
        raise BadInput(f"{path}: {sentence}") from None


def _prepared(source: Source, folder: pathlib.Path) -> Card:
    """Step by step, and each step's bytes are let go before the next: a car has little memory."""
    metadata = parse_metadata(source.metadata, any_sensors=True)
    original = _written(source, metadata, folder)
    source = dataclasses.replace(source, model=b"")
    model = check_model(folder, any_sensors=True)
    session = open_session(model.content)
    parity = None if original is None else compare(original.answers, original.shapes, session)
    card = _card(source, model, parity, time_model(model, session))
    _write(folder / CARD, card.to_json().encode())
    return card


@dataclass(frozen=True, slots=True)
class _Original:
    """What the frozen graph answered, before it was let go."""

    answers: Tensor
    shapes: dict[str, tuple[int, ...]]


def _written(source: Source, metadata: Metadata, folder: pathlib.Path) -> _Original | None:
    """Writes the model as it will drive and its metadata; None for what came as ONNX."""
    original = None
    content = bytes(source.model) if source.kind == "onnx" else b""
    if source.kind == "graph":
        content, head = convert(read_graph(source.model), metadata)
        allowed_graph(content)
        original = _Original(frozen_answers(head), head.shapes)
    _write(folder / MODEL, content)
    _write(folder / NAME, source.metadata)
    return original


def _card(source: Source, model: CheckedModel, parity: float | None, timing: Timing) -> Card:
    return Card(
        name=source.name,
        source=f"{source.packing}, {source.kind}",
        source_kind=source.kind,
        source_sha256=source.source_sha256,
        content_sha256=source.content_sha256,
        model_sha256=model.sha256,
        sensors=model.metadata.sensors,
        algorithm=model.metadata.algorithm,
        metadata_version=model.metadata.version,
        action_space=describe_space(model.metadata.space),
        outputs=model.metadata.space.size,
        network=model.network,
        parameters=model.parameters,
        parity=parity,
        timing=timing,
    )


def _write(path: pathlib.Path, content: bytes) -> None:
    """A fresh file, on the disk before it is named: never through a link, never over another."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def main(arguments: list[str]) -> int:
    """The child: the limits are set before anything of the racer's is opened."""
    metadata = pathlib.Path(arguments[2]) if len(arguments) > 2 else None
    try:
        prepare(pathlib.Path(arguments[0]), pathlib.Path(arguments[1]), metadata)
    except (BadInput, MemoryError) as error:
        sys.stderr.write(f"{error or 'The model wants more memory than it may have.'}\n")
        return 2
    return 0
