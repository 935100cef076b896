"""Files that only their owner reads: the console's password, the leash's key, a certificate's fingerprint.

Called by console_session.py, certificate_pin.py, leash_kit.py and the bridge's build.
"""

import pathlib
import stat

from shared.errors import ConfigError, StorageError
from shared.files import write_whole
from shared.text import text

MAX_BYTES = 4096


def read_secret(path: pathlib.Path, what: str) -> str:
    """The file's first line. Raises ConfigError if it is not there, is empty, or others may read it."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        with path.open(encoding="utf-8") as file:
            line = file.readline(MAX_BYTES).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            text("{file}: {what} cannot be read ({error}): write it there.", file=path, what=what, error=error)
        ) from None
    if mode & 0o077:
        raise ConfigError(text("{file}: others can read {what}: chmod 600 it.", file=path, what=what))
    if not line:
        raise ConfigError(text("{file}: {what} is missing: write it on the first line.", file=path, what=what))
    return line


def write_secret(path: pathlib.Path, line: str) -> None:
    """Write one line, whole or not at all, for its owner alone. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, f"{line}\n".encode(), is_durable=True, mode=0o600)
    except OSError as error:
        raise StorageError(text("{file} cannot be written ({error}).", file=path, error=error)) from None
