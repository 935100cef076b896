"""Entry point of the child process that keeps of a racer's archive only what is used: models, metadata, notes.

Optimiser states, traces and logs are nine tenths of an export. What is kept is a tar that depends on nothing but the
archive, so that two machines make the same of it. The limits of the child are set by run_isolated.py.
"""

import json
import pathlib
import sys
import tarfile
import time
from collections.abc import Iterator
from typing import BinaryIO

from shared.errors import BadInput
from shared.text import text
from vehicle.models.importing.archive import policy_files
from vehicle.models.importing.packing import HEAD_BYTES, Member, check_packing, is_archive
from vehicle.models.model_files import MAX_MODEL_BYTES, METADATA
from vehicle.process.sandbox import FILE_BYTES

_BLOCK = 512


def strip(path: pathlib.Path, kept: pathlib.Path) -> list[str]:
    """Write to `kept` what is used of an archive, unless that is no smaller, or larger than a child may write.

    Returns the names of its different models.

    Raises BadInput for what holds no model with its metadata.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if not is_archive(head):
            check_packing(head)
            raise BadInput(text("The file is no archive: pack the model with its {metadata}.", metadata=METADATA))
        names, files = policy_files(file)
        with kept.open("wb") as target:
            is_kept = _write_tar(target, files, min(path.stat().st_size - 1, FILE_BYTES))
    if not is_kept:
        kept.unlink()
    return names


def _write_tar(target: BinaryIO, files: Iterator[tuple[str, Member]], most_bytes: int) -> bool:
    """False if it would be larger; then it is not whole."""
    written, size = set[str](), 2 * _BLOCK
    for path, member in files:
        if path in written:  # twice in the archive, and then of the same content or meaning
            continue
        written.add(path)
        info = tarfile.TarInfo(path)
        info.size = member.size
        head, padding = info.tobuf(), bytes(-member.size % _BLOCK)
        size += len(head) + member.size + len(padding)
        if size > most_bytes:
            return False
        target.write(head)
        for piece in member.pieces(MAX_MODEL_BYTES):
            target.write(piece)
        target.write(padding)
    target.write(bytes(2 * _BLOCK))
    return True


def main(arguments: list[str]) -> int:
    """Entry point of the child: prints the names of the models and its processor time; returns the exit code."""
    path = pathlib.Path(arguments[0])
    try:
        names = strip(path, pathlib.Path(arguments[1]))
    except (BadInput, MemoryError) as error:
        sentence = str(error) or "The archive needs more memory than it is allowed."
        sys.stderr.write(text("{path}: {sentence}", path=path, sentence=sentence) + "\n")
        return 2
    except OSError as error:  # the machine's fault, not the model's
        sys.stderr.write(text("{path}: cannot be read ({strerror}).", path=path, strerror=error.strerror) + "\n")
        return 1
    sys.stdout.write(json.dumps({"checkpoints": names, "cost_s": round(time.process_time(), 3)}))
    return 0
