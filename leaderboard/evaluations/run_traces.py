"""The traces of runs: files by their hash, written once, in a folder beside the models'. For farms, replays and logs.

A trace says where the car was, not what its model is: of a submission that is scored everybody who sees the race may
have it. What a farm sends is read and hashed here, so that a file holds what its name says.
"""

import os
import pathlib

from leaderboard.core.errors import NotHere
from shared.errors import StorageError
from shared.files import DISK_FULL
from shared.text import text
from shared.traces import encoding
from shared.traces.trace import DriveTrace


class RunTraces:
    """The traces of one leaderboard's runs. Nothing is made before the first. Safe to call from any thread."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder

    def keep(self, content: bytes) -> str:
        """Store a trace, as a farm sends it; its hash. Raises BadInput for what is none, StorageError."""
        sha256 = encoding.trace_sha256(encoding.decode(content))
        target = self._path(sha256)
        if target.is_file():
            return sha256
        part = target.with_suffix(f".{os.getpid()}-{os.urandom(4).hex()}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except OSError as error:
            part.unlink(missing_ok=True)
            if error.errno in DISK_FULL:
                raise StorageError(text("The leaderboard's disk is full: its operator must free some.")) from None
            raise StorageError(f"{target}: cannot be written ({error.strerror}).") from None
        return sha256

    def file(self, sha256: str) -> bytes:
        """The file of the trace of this hash. Raises NotHere."""
        try:
            return self._path(sha256).read_bytes()
        except FileNotFoundError:
            raise NotHere(text("No trace of this run was kept.")) from None
        except OSError as error:
            raise StorageError(f"{self._path(sha256)}: cannot be read ({error.strerror}).") from None

    def trace(self, sha256: str) -> DriveTrace:
        """The trace of this hash. Raises NotHere, StorageError if the file is damaged."""
        trace = encoding.decode(self.file(sha256))
        if encoding.trace_sha256(trace) != sha256:
            raise StorageError(f"{self._path(sha256)}: is damaged; put the folder of traces back as it was.")
        return trace

    def _path(self, sha256: str) -> pathlib.Path:
        return self._folder / sha256[:2] / f"{sha256}.trace"
