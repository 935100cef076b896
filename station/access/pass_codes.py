"""PINs and passphrases: what is a good one, and how they are stored and compared. Used by station_access.py.

Argon2id with 19 MiB, two passes and one lane, the least that OWASP recommends: about 0.1 s of one core of a Raspberry
Pi 4, beside which timing, cars and pages go on. A PIN alone opens a session on a paired device only.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import argon2

from shared.errors import BadInput
from shared.text import text
from station.access.roles import Role

Kind = Literal["pin", "passphrase"]
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
MIN_PIN, MIN_ADMIN_PIN, MAX_PIN = 4, 6, 12
MIN_PASSPHRASE, MAX_PASSPHRASE = 8, 128
# PINs that are tried first by everybody.
_WORN = frozenset({"1234", "12345", "123456", "1234567", "12345678", "123456789", "4321", "654321", "112233", "1212"})


class PassCodeHasher(Protocol):
    """Hashes and compares; tests pass one with cheap parameters."""

    def hash(self, code: str) -> str:
        """The salted hash of a PIN or passphrase."""

    def matches(self, stored: str, code: str) -> bool:
        """Is `stored` the hash of this code?"""


@dataclass(frozen=True, slots=True)
class Argon2idHasher:
    """Argon2id, by default with the parameters of this module."""

    memory_kib: int = MEMORY_KIB
    passes: int = PASSES
    lanes: int = LANES

    def hash(self, code: str) -> str:
        return self._argon2().hash(code)

    def matches(self, stored: str, code: str) -> bool:
        try:
            return self._argon2().verify(stored, code)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    def _argon2(self) -> argon2.PasswordHasher:
        return argon2.PasswordHasher(self.passes, self.memory_kib, self.lanes)


def pass_code_kind(code: str, role: Role) -> Kind:
    """Whether this new code is a PIN or a passphrase. Raises BadInput if it is not good enough for the role."""
    if code.isascii() and code.isdigit():
        _check_pin(code, MIN_ADMIN_PIN if role is Role.ADMIN else MIN_PIN)
        return "pin"
    if not MIN_PASSPHRASE <= len(code) <= MAX_PASSPHRASE:
        raise BadInput(
            text(
                "A passphrase has {min} to {max} characters; a PIN is of digits only.",
                min=MIN_PASSPHRASE,
                max=MAX_PASSPHRASE,
            )
        )
    if len(set(code.casefold())) < 4:
        raise BadInput(text("This passphrase repeats a few characters: take another one."))
    return "passphrase"


def _check_pin(code: str, min_digits: int) -> None:
    if not min_digits <= len(code) <= MAX_PIN:
        raise BadInput(text("A PIN for this role has {min} to {max} digits.", min=min_digits, max=MAX_PIN))
    if code in _WORN or len(set(code)) == 1:
        raise BadInput(text("Everybody tries this PIN first: take another one."))
