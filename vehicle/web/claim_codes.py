"""Who may command this car from a phone: a claim code made at the first boot, and the sessions that it opened.

There is no default password. The code is printed once and stored only as a scrypt hash. Wrong codes make the next try
from the same address wait, never one from another. A session is a random token, also stored only as a hash; it ends
after 12 hours, or after 4 hours without use. Every time is an argument.
"""

import hashlib
import hmac
import json
import logging
import os
import pathlib
import secrets
import threading
from collections import OrderedDict
from dataclasses import asdict, dataclass, replace

from pydantic import TypeAdapter, ValidationError

from shared.access.short_codes import new_code, normalised
from shared.access.throttle import Failures
from shared.addresses import counted_prefix
from shared.errors import ConfigError, StorageError, WrongCode
from shared.text import text

MAX_SESSION_S = 12 * 3600.0
MAX_IDLE_S = 4 * 3600.0
MAX_SESSIONS = 16
MAX_ADDRESSES = 1024  # whose wrong codes are remembered; those of the longest ago are forgotten
# 16 MiB five times over, one of the settings that OWASP's Password Storage Cheat Sheet names: a car has little memory.
COST, ROUNDS = 2**14, 5
_LOG = logging.getLogger("raceday.web")


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One stored session: the token's SHA-256 and when it was opened, in UTC seconds."""

    token_sha256: str
    opened_s: float


@dataclass(frozen=True, slots=True)
class ClaimFile:
    """The content of the claims file: the code's salt and hash, and the open sessions."""

    salt: str
    code_scrypt: str
    sessions: tuple[SessionRecord, ...] = ()
    v: int = 1
    rounds: int = 1  # scrypt's p; a file that does not say had 1


_CLAIM_FILE = TypeAdapter(ClaimFile)


class ClaimCodes:
    """The claims file, read again when another process (`raceday vehicle claim`) changed it. Thread-safe.

    `rounds`: how much work comparing a new code is.
    """

    def __init__(self, path: pathlib.Path, rounds: int = ROUNDS) -> None:
        self._path, self._rounds = path, rounds
        self._lock = threading.Lock()
        self._file: ClaimFile | None = None
        self._stamp: tuple[int, int] | None = None
        self._used_s: dict[str, float] = {}
        self._failures: OrderedDict[str, Failures] = OrderedDict()

    def first_code(self) -> str | None:
        """A fresh code if this car has none yet; None if it has. Raises StorageError, ConfigError."""
        with self._lock:
            return None if self._read() is not None else self._renew()

    def new_code(self) -> str:
        """A fresh code; the old one and all sessions end. Raises StorageError."""
        with self._lock:
            return self._renew()

    def claim(self, code: str, now_s: float, address: str = "", shown: str = "") -> str:
        """A session token for a phone that knows the code; the session of the token that it `shown` ends.

        Raises WrongCode, also while the `address` has to wait after several.
        """
        client = counted_prefix(address)
        with self._lock:
            if self._failures.get(client, Failures()).wait_s(now_s) > 0:
                raise WrongCode(text("Too many wrong codes: wait a minute, then try again."))
            compared = self._read()
            self._count_failure(client, now_s)  # before it is compared: several at once are several tries
        # Without the lock: while a stranger's code is compared, phones renew their leases and stop the car.
        right = compared is not None and _is_code(code, compared)
        with self._lock:
            file = self._read()
            if not right or file is None or compared is None or file.code_scrypt != compared.code_scrypt:
                raise WrongCode(
                    text("This is not the car's claim code; `raceday vehicle claim` on the car makes a new one.")
                )
            self._failures.pop(client, None)
            token, old = secrets.token_urlsafe(32), _sha256(shown)
            others = [each for each in file.sessions if self._is_open(each, now_s) and each.token_sha256 != old]
            sessions = (*others, SessionRecord(_sha256(token), now_s))[-MAX_SESSIONS:]
            self._write(replace(file, sessions=sessions))
            self._used_s[_sha256(token)] = now_s
            _LOG.warning("console: a phone at %s claimed this car.", client)
            return token

    def _count_failure(self, client: str, now_s: float) -> None:
        self._failures[client] = self._failures.get(client, Failures()).after_failure(now_s)
        self._failures.move_to_end(client)
        if len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)

    def session(self, token: str, now_s: float) -> str | None:
        """The session's name if it is open, else None. Each call counts as use of the session."""
        with self._lock:
            name, file = _sha256(token), self._read()
            session = (
                next((session for session in file.sessions if session.token_sha256 == name), None) if file else None
            )
            if session is None or not self._is_open(session, now_s):
                return None
            self._used_s[name] = now_s
            return name

    def leave(self, token: str) -> None:
        """End this session. Raises StorageError."""
        with self._lock:
            if (file := self._read()) is not None:
                name = _sha256(token)
                remaining = tuple(session for session in file.sessions if session.token_sha256 != name)
                self._write(replace(file, sessions=remaining))

    def _is_open(self, session: SessionRecord, now_s: float) -> bool:
        """A clock that was set back ends sessions too: claiming again is better than a session without end."""
        used_s = self._used_s.setdefault(session.token_sha256, max(session.opened_s, now_s - MAX_IDLE_S / 2))
        return 0 <= now_s - session.opened_s < MAX_SESSION_S and now_s - used_s < MAX_IDLE_S

    def _renew(self) -> str:
        code, salt = new_code(), secrets.token_hex(16)
        self._write(ClaimFile(salt, _scrypt(normalised(code), salt, self._rounds), rounds=self._rounds))
        return code

    def _read(self) -> ClaimFile | None:
        try:
            stat = self._path.stat()
            stamp = (stat.st_ino, stat.st_mtime_ns)
            if stamp != self._stamp:
                self._file, self._stamp = _CLAIM_FILE.validate_json(self._path.read_bytes()), stamp
        except FileNotFoundError:
            self._file = self._stamp = None
        except (OSError, ValidationError):
            raise ConfigError(
                f"{self._path}: the console's claims cannot be read; `raceday vehicle claim` makes new ones."
            ) from None
        return self._file

    def _write(self, claims: ClaimFile) -> None:
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh.unlink(missing_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
                json.dump(asdict(claims), opened)
                opened.flush()
                os.fsync(opened.fileno())
            fresh.replace(self._path)
        except OSError as error:
            raise StorageError(f"{self._path}: the console's claims cannot be saved ({error.strerror}).") from None
        self._stamp = None


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _is_code(code: str, file: ClaimFile) -> bool:
    return hmac.compare_digest(_scrypt(normalised(code[:40]), file.salt, file.rounds), file.code_scrypt)


def _scrypt(code: str, salt: str, rounds: int) -> str:
    return hashlib.scrypt(code.encode(), salt=bytes.fromhex(salt), n=COST, r=8, p=rounds).hex()
