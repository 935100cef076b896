"""Makes a model's folder from what the racer brought: convert, write, check, compare, time, write the card.

Called by prepare.py. A car has little memory, so each step frees its bytes before the next one needs as much. The files
that were written are the ones that are checked and timed; fsync runs in parallel.
"""

import dataclasses
import os
import pathlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from vehicle.models.card import CARD, Card, Timing
from vehicle.models.importing.source import ModelSource
from vehicle.models.metadata import parse_metadata
from vehicle.models.model_files import METADATA, MODEL
from vehicle.models.onnx_file.scan import scan_model
from vehicle.models.running.check import CheckedModel, check_model
from vehicle.models.running.describe import describe_space
from vehicle.models.running.onnx_check import check_dependence
from vehicle.models.running.session import open_session
from vehicle.models.running.timing import time_model, try_frames
from vehicle.models.tensorflow.converter import convert
from vehicle.models.tensorflow.graphdef import Tensor, read_graph
from vehicle.models.tensorflow.parity import compare, frozen_answers
from vehicle.models.tensorflow.policy_head import PolicyHead


@dataclass(frozen=True, slots=True)
class _WrittenModel:
    """The model as written and checked, without its bytes. `answers` are the frozen graph's, None for an ONNX file."""

    source: ModelSource
    model: CheckedModel
    answers: Tensor | None
    shapes: dict[str, tuple[int, ...]]
    on_disk: "Future[None]"


def make_model(
    read_source: Callable[[], ModelSource],
    folder: pathlib.Path,
    is_kept: bool = True,
    flushes_denormals: bool = False,
) -> Card:
    """Writes model.onnx, model_metadata.json and card.json into `folder`; returns the card. Raises BadInput, OSError.

    `read_source` returns the racer's model and metadata. What is not kept is neither timed nor flushed to the disk.
    `flushes_denormals`: as of open_session.
    """
    sync = _sync if is_kept else _leave
    with ThreadPoolExecutor(1, "disk") as disk:
        written = _write_model(read_source(), folder, disk, sync)
        session = open_session(folder / MODEL, flushes_denormals)
        parity = None if written.answers is None else compare(written.answers, written.shapes, session)
        timing: Timing | None = None
        if is_kept:
            timing = time_model(written.model, session)
        else:
            try_frames(written.model, session)
        card = _card(written.source, written.model, parity, timing)
        written.on_disk.result()
        sync(_write_new(folder / CARD, [card.to_json().encode()]))
    return card


def _write_model(
    source: ModelSource, folder: pathlib.Path, disk: ThreadPoolExecutor, sync: Callable[..., None]
) -> _WrittenModel:
    """All steps that need the racer's bytes, to which the result no longer refers. Raises BadInput, OSError."""
    metadata = parse_metadata(source.metadata, any_sensors=True)
    head: PolicyHead | None = None
    outline = b""
    pieces: Sequence[bytes | memoryview]
    if source.kind == "onnx":
        scanned = scan_model(source.model)
        outline, pieces = scanned.outline, scanned.pieces()
    else:
        pieces, head = convert(read_graph(source.model), metadata)
    files = [_write_new(folder / MODEL, pieces), _write_new(folder / METADATA, [source.metadata])]
    pieces = []
    on_disk = disk.submit(sync, *files)
    model = dataclasses.replace(check_model(folder, any_sensors=True), content=b"")
    if outline:
        check_dependence(outline)
    answers = None if head is None else frozen_answers(head)
    without_bytes = dataclasses.replace(source, model=b"")
    return _WrittenModel(without_bytes, model, answers, {} if head is None else head.shapes, on_disk)


def _card(source: ModelSource, model: CheckedModel, parity: float | None, timing: Timing | None) -> Card:
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
        choice=source.choice,
    )


def _write_new(path: pathlib.Path, pieces: Iterable[bytes | memoryview]) -> pathlib.Path:
    """Writes a new file: never through a link, never over an existing file. Returns `path`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(pieces)
    return path


def _leave(*_paths: pathlib.Path) -> None:
    """The files are gone before the next cut of the power matters."""


def _sync(*paths: pathlib.Path) -> None:
    """Flushes the files to the disk, before the folder gets its name."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
