"""Passphrases: what is a good one, and hashing that never takes all processors or all threads. May block.

Called off the event loop: a hash takes 0.1 s of one core and 19 MiB.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from leaderboard.core import alias as aliases
from shared.access.pass_code_hashing import Argon2idHasher, PassCodeHasher
from shared.errors import Refused, RetryLater
from shared.text import text

MIN_CHARACTERS, MAX_CHARACTERS = 12, 200
AT_ONCE, WAITING, WAIT_S = 2, 8, 10.0
_MIN_KINDS = 5  # of different characters
_WORN = ("password", "passphrase", "passwort", "qwerty", "qwertz", "azerty", "letmein", "iloveyou", "raceday")


def checked_passphrase(passphrase: str, alias: str) -> str:
    """A new passphrase that is good enough for the account of this alias. Raises Refused."""
    if not MIN_CHARACTERS <= len(passphrase) <= MAX_CHARACTERS:
        raise Refused(
            text(
                "A passphrase has {min} to {max} characters: take four or more words that belong to no sentence.",
                min=MIN_CHARACTERS,
                max=MAX_CHARACTERS,
            )
        )
    plain = passphrase.casefold()
    for word in (*_WORN, alias.casefold(), aliases.fold(alias)):
        plain = plain.replace(word, "")
    if len(set(plain) - set("0123456789!?.-_ ")) < _MIN_KINDS:
        raise Refused(
            text("This passphrase is easy to guess: it is mostly a common word, your alias, digits or one letter.")
        )
    return passphrase


class PassphraseHashing:
    """Hashes and compares, a few at once; whoever would wait too long is told to come again."""

    def __init__(self, hasher: PassCodeHasher | None = None) -> None:
        self._hasher = Argon2idHasher() if hasher is None else hasher
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._waiting = 0
        self._nobodys = self._hasher.hash("nobody has this passphrase")

    def hash(self, passphrase: str) -> str:
        """What is stored of a passphrase. Raises RetryLater."""
        with self._slot():
            return self._hasher.hash(passphrase)

    def matches(self, stored: str | None, passphrase: str) -> bool:
        """Is this the passphrase? None: there is no such account, which takes the same time. Raises RetryLater."""
        with self._slot():
            matches = self._hasher.matches(self._nobodys if stored is None else stored, passphrase[:MAX_CHARACTERS])
        return matches and stored is not None

    @contextmanager
    def _slot(self) -> Iterator[None]:
        busy = text("Too many people are signing in at this moment: try again.")
        with self._lock:
            if self._waiting >= AT_ONCE + WAITING:
                raise RetryLater(busy, after_s=2.0)
            self._waiting += 1
        try:
            if not self._slots.acquire(timeout=WAIT_S):
                raise RetryLater(busy, after_s=2.0)
            try:
                yield
            finally:
                self._slots.release()
        finally:
            with self._lock:
                self._waiting -= 1
