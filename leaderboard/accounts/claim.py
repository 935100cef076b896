"""The first admin: a claim code that is printed at the start, and typed by whoever has access to the machine."""

import hmac
import pathlib

from leaderboard.accounts.administration import has_admin, make_admin
from leaderboard.accounts.entrance.throttle import EntranceThrottle
from leaderboard.core.access import Caller
from leaderboard.core.errors import WrongClaimCode
from leaderboard.credentials import create_private
from leaderboard.store.database import Store
from shared.access.short_codes import new_code, normalised
from shared.errors import Refused, StorageError
from shared.text import text
from shared.units import NS_PER_S

MAX_TYPED = 40


class Claim:
    """The claim code in its file, which only the leaderboard's user can read; None: this one has no claim code."""

    def __init__(self, store: Store, file: pathlib.Path | None, throttle: EntranceThrottle) -> None:
        self._store, self._file, self._throttle = store, file, throttle

    def open_code(self) -> str:
        """The code for the first admin, made now if there is none; "" once there is an admin. Raises StorageError."""
        with self._store.read() as db:
            if has_admin(db):
                return ""
        if self._file is None:
            return ""
        if not self._read():
            create_private(self._file, new_code())
        return self._read()

    def claim(self, caller: Caller, typed: str, address: str, now_utc_ns: int) -> None:
        """Make the caller's account admin. Raises WrongClaimCode, Refused if there is an admin."""
        now_s = now_utc_ns / NS_PER_S
        tried = self._throttle.sign_in("", address, now_s)
        code = normalised(self._read())
        if not code or not hmac.compare_digest(code.encode(), normalised(typed[:MAX_TYPED]).encode()):
            self._throttle.failed(tried, now_s)
            raise WrongClaimCode(text("This is not the claim code that the leaderboard printed when it started."))
        with self._store.write() as db:
            if has_admin(db):
                raise Refused(text("This leaderboard has an admin already, who gives roles to others."))
            make_admin(db, caller, now_utc_ns)
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def _read(self) -> str:
        try:
            return "" if self._file is None else self._file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError):
            raise StorageError(f"{self._file}: the claim code cannot be read; delete the file for a new one.") from None
