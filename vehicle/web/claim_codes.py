"""Who may command this car from a phone: a claim code made at the first boot, and the sessions that it opened.

There is no default password. The code is printed once and stored only as a scrypt hash. A session is a random token,
also stored only as a hash; it ends after 12 hours, or after 4 hours without use. Every time is an argument.
"""

import hashlib
import hmac
import json
import os
import pathlib
import secrets
import threading
from dataclasses import asdict, dataclass

from pydantic import TypeAdapter, ValidationError

from shared.access.short_codes import new_code, normalised
from shared.addresses import counted_prefix
from shared.errors import ConfigError, StorageError, WrongCode
from shared.text import text

MAX_SESSION_S = 12 * 3600.0
MAX_IDLE_S = 4 * 3600.0
MAX_SESSIONS = 16
MAX_ADDRESSES = 256
_MAX_TRIES, _TRIES_WINDOW_S = 5, 60.0
_COST = 2**14


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


_CLAIM_FILE = TypeAdapter(ClaimFile)


class CodeTries:
    """How often each address lately tried a code. Counted as a try begins, so that none at the same time are free."""

    def __init__(self) -> None:
        self._tried_s: dict[str, list[float]] = {}

    def begin(self, address: str, now_s: float) -> None:
        """One more try of this address. Raises WrongCode if it had too many within a minute."""
        prefix = counted_prefix(address)
        recent = [at_s for at_s in self._tried_s.pop(prefix, ()) if 0 <= now_s - at_s < _TRIES_WINDOW_S]
        is_allowed = len(recent) < _MAX_TRIES
        if len(self._tried_s) >= MAX_ADDRESSES:
            del self._tried_s[next(iter(self._tried_s))]
        self._tried_s[prefix] = [*recent, now_s] if is_allowed else recent
        if not is_allowed:
            raise WrongCode(text("Too many wrong codes: wait a minute, then try again."))

    def forget(self, address: str) -> None:
        """The code was right."""
        self._tried_s.pop(counted_prefix(address), None)


class ClaimCodes:
    """The claims file, read again when another process (`raceday vehicle claim`) changed it. Thread-safe."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: ClaimFile | None = None
        self._stamp: tuple[int, int] | None = None
        self._used_s: dict[str, float] = {}
        self._tries = CodeTries()

    def first_code(self) -> str | None:
        """A fresh code if this car has none yet; None if it has. Raises StorageError, ConfigError."""
        with self._lock:
            return None if self._read() is not None else self._renew()

    def new_code(self) -> str:
        """A fresh code; the old one and all sessions end. Raises StorageError."""
        with self._lock:
            return self._renew()

    def claim(self, code: str, now_s: float, address: str = "") -> str:
        """A session token for a phone that knows the code. Raises WrongCode for another code, or after too many.

        Wrong codes are counted by `address`: whoever tries them keeps nobody else out.
        """
        with self._lock:
            self._tries.begin(address, now_s)
            file = self._read()
        # Nobody's session waits for this, which is slow by intention.
        known = file is not None and hmac.compare_digest(_scrypt(normalised(code[:40]), file.salt), file.code_scrypt)
        with self._lock:
            if not known or file is None or not self._is_code_of(file):
                raise WrongCode(
                    text("This is not the car's claim code; `raceday vehicle claim` on the car makes a new one.")
                )
            self._tries.forget(address)
            token = secrets.token_urlsafe(32)
            newest = self._read() or file  # others may have claimed it meanwhile
            open_sessions = [session for session in newest.sessions if self._is_open(session, now_s)]
            sessions = (*open_sessions, SessionRecord(_sha256(token), now_s))[-MAX_SESSIONS:]
            self._write(ClaimFile(file.salt, file.code_scrypt, sessions))
            self._used_s[_sha256(token)] = now_s
            return token

    def _is_code_of(self, file: ClaimFile) -> bool:
        """Is its code the car's still? A new one may have been made meanwhile."""
        newest = self._read()
        return newest is not None and newest.code_scrypt == file.code_scrypt

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
                self._write(ClaimFile(file.salt, file.code_scrypt, remaining))

    def _is_open(self, session: SessionRecord, now_s: float) -> bool:
        """A clock that was set back ends sessions too: claiming again is better than a session without end."""
        used_s = self._used_s.setdefault(session.token_sha256, max(session.opened_s, now_s - MAX_IDLE_S / 2))
        return 0 <= now_s - session.opened_s < MAX_SESSION_S and now_s - used_s < MAX_IDLE_S

    def _renew(self) -> str:
        code, salt = new_code(), secrets.token_hex(16)
        self._write(ClaimFile(salt, _scrypt(normalised(code), salt)))
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


def _scrypt(code: str, salt: str) -> str:
    return hashlib.scrypt(code.encode(), salt=bytes.fromhex(salt), n=_COST, r=8, p=1).hex()
