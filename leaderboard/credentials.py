"""The secret files: made once with random content, refused when open to others. There is no default password.

A line of a webhook file is a secret, or a station's name and its secret: `station-1 whsec_...`.
"""

import base64
import os
import pathlib
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field

from leaderboard.config import SecretFiles
from shared.errors import ConfigError, Refused
from shared.protocol.topics import checked_device
from shared.webhooks import PREFIX, parse_secret

_MIN_TOKEN_LENGTH = 24


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """The keys of all stations that may post (several during rotation), whose each is, and the admin's bearer token.

    A key without a name may post for any station that has no key of its own.
    """

    webhook_keys: tuple[bytes, ...]
    admin_token: str
    named: Mapping[bytes, str] = field(default_factory=dict)

    @property
    def stations(self) -> dict[bytes, str]:
        """The station of each key, "" for a key that names none."""
        return {key: self.named.get(key, "") for key in self.webhook_keys}


def read(named: SecretFiles) -> Credentials:
    """The secrets in the files. Raises ConfigError with a sentence that says what to do."""
    keys: dict[bytes, str] = {}
    for file in named.webhook_files:
        for station, key in _keys(pathlib.Path(file)):
            if keys.setdefault(key, station) != station:
                raise ConfigError(f"{file}: two stations have the same secret; each needs one of its own.")
    if not keys:
        raise ConfigError("[secrets] `webhook_files` names no file with a secret: no station could post.")
    path = pathlib.Path(named.admin_file)
    token = _private_text(path)
    if len(token) < _MIN_TOKEN_LENGTH or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(f"{path}: the admin token must be one line of {_MIN_TOKEN_LENGTH} or more ASCII characters.")
    return Credentials(tuple(keys), token, keys)


def create(named: SecretFiles, station: str = "") -> list[pathlib.Path]:
    """Make the files that do not exist yet, mode 0600, and return their paths. Raises ConfigError.

    `station`: the station that the new webhook secrets belong to; "" for any.
    """
    whose = f"{_station(station)} " if station else ""
    wanted = {file: whose + PREFIX + base64.b64encode(secrets.token_bytes(32)).decode() for file in named.webhook_files}
    wanted[named.admin_file] = secrets.token_urlsafe(32)
    return [path for file, text in wanted.items() if create_private(path := pathlib.Path(file), text)]


def create_private(path: pathlib.Path, text: str) -> bool:
    """Make a file of mode 0600 with this line; False if it is there already. Raises ConfigError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # O_EXCL: a secret that stations already use is never replaced.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise ConfigError(f"{path}: the secret cannot be written ({error.strerror}).") from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")
    return True


def _keys(path: pathlib.Path) -> list[tuple[str, bytes]]:
    lines = [line.strip() for line in _private_text(path).splitlines()]
    try:
        return [_named_key(line) for line in lines if line and not line.startswith("#")]
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _named_key(line: str) -> tuple[str, bytes]:
    station, _, secret = line.rpartition(" ")
    return (_station(station.strip()) if station else ""), parse_secret(secret)


def _station(name: str) -> str:
    try:
        return checked_device(name)
    except Refused as refusal:
        raise ConfigError(f"a webhook secret belongs to a station: {refusal}") from None


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
