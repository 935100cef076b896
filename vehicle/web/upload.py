"""Receives a file from a phone: streamed into a temporary folder, deleted afterwards."""

import pathlib
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from shared.errors import BadInput
from shared.text import text
from vehicle.models.importing.packing import HEAD_BYTES, check_packing, is_archive

MAX_BYTES = 128 << 20
ENDINGS = (".tar.gz", ".tgz", ".tar", ".zip", ".gz", ".onnx", ".pb")
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
# What browsers append to a downloaded file's name.
_ADDED = re.compile(r"(?: ?\(\d{1,3}\)|\.(?:bin|txt|download))+$", re.IGNORECASE)
_MAX_NAME, _MAX_GIVEN_NAME = 80, 255


def safe_name(name: str) -> str:
    """The file's own name, without anything that could form a path.

    If it ends with none of ENDINGS, `receive_upload` decides by the content.
    """
    base = re.split(r"[\\/]", name)[-1].strip()[-_MAX_GIVEN_NAME:]
    plain = _ADDED.sub("", base)
    ending = next((ending for ending in ENDINGS if plain.lower().endswith(ending)), "")
    stem = _UNFIT.sub("-", plain[: -len(ending)] if ending else base).strip(".-")[:_MAX_NAME].strip(".-")
    return f"{stem or 'model'}{ending}"


@asynccontextmanager
async def receive_upload(request: Request, name: str) -> AsyncIterator[pathlib.Path]:
    """The request's body, which body_table.py bounds, as a file. Raises BadInput if it is empty or not a model."""
    file_name = safe_name(name)
    with tempfile.TemporaryDirectory(prefix="raceday-upload-") as folder:
        path = pathlib.Path(folder) / file_name
        received_bytes = 0
        with path.open("xb") as file:
            async for part in request.stream():
                received_bytes += len(part)
                file.write(part)
        if not received_bytes:
            raise BadInput(text("The file is empty."))
        if not file_name.endswith(ENDINGS):
            _require_archive(path)
        yield path


def _require_archive(path: pathlib.Path) -> None:
    """Raises BadInput unless the content is an archive's, whatever it is called."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    check_packing(head)
    if not is_archive(head):
        raise BadInput(
            text("A model is a DeepRacer archive (.tar.gz, .tar or .zip), or an .onnx or a .pb file with its metadata.")
        )
