"""The secret files: made once with random content, refused when open to others. There is no default password."""

import base64
import os
import pathlib
import secrets
import stat
from dataclasses import dataclass

from leaderboard.config import Secrets
from leaderboard.signature import PREFIX, parse_secret
from shared.errors import ConfigError

_TOKEN_LEAST = 24


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """The keys of all stations that may post (several during rotation), and the admin's bearer token."""

    webhook_keys: tuple[bytes, ...]
    admin_token: str


def read(named: Secrets) -> Credentials:
    """What the files hold. Raises ConfigError with the sentence that says what to do."""
    keys = [key for file in named.webhook_files for key in _keys(pathlib.Path(file))]
    if not keys:
        raise ConfigError("[secrets] `webhook_files` names no file with a secret: no station could post.")
    path = pathlib.Path(named.admin_file)
    token = _private_text(path)
    if len(token) < _TOKEN_LEAST or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(f"{path}: the admin token must be one line of {_TOKEN_LEAST} or more ASCII characters.")
    return Credentials(tuple(keys), token)


def create(named: Secrets) -> list[pathlib.Path]:
    """Make the files that are not there yet, mode 0600; those that were made. Raises ConfigError."""
    wanted = {file: PREFIX + base64.b64encode(secrets.token_bytes(32)).decode() for file in named.webhook_files}
    wanted[named.admin_file] = secrets.token_urlsafe(32)
    return [path for file, text in wanted.items() if _create(path := pathlib.Path(file), text)]


def _create(path: pathlib.Path, text: str) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # O_EXCL: a secret that stations know already is never replaced.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise ConfigError(f"{path}: the secret cannot be written ({error.strerror}).") from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")
    return True


def _keys(path: pathlib.Path) -> list[bytes]:
    lines = [line for line in _private_text(path).splitlines() if line.strip() and not line.startswith("#")]
    try:
        return [parse_secret(line) for line in lines]
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _private_text(path: pathlib.Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise ConfigError(f"{path}: the secret is missing; run `raceday leaderboard init --config FILE`.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the secret cannot be read ({error}).") from None
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise ConfigError(f"{path}: the secret is open to others; run: chmod 600 {path}")
    return text.strip()
