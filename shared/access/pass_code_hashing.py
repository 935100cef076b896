"""How PINs and passphrases are stored and compared. Used by station and leaderboard.

Argon2id with 19 MiB, two passes and one lane, the least that OWASP recommends: about 0.1 s of one core of a Raspberry
Pi 4, beside which timing, cars and pages go on.
"""

from dataclasses import dataclass
from typing import Protocol

import argon2

MEMORY_KIB, PASSES, LANES = 19_456, 2, 1


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
