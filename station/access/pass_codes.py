"""PINs and passphrases: what is a good one. Used by station_access.py.

They are hashed by shared/access/pass_code_hashing.py. A PIN alone opens a session on a paired device only.
"""

from typing import Literal

from shared.errors import BadInput
from shared.text import text
from station.access.roles import Role

Kind = Literal["pin", "passphrase"]
MIN_PIN, MIN_ADMIN_PIN, MAX_PIN = 4, 6, 12
MIN_PASSPHRASE, MAX_PASSPHRASE = 8, 128
# PINs that are tried first by everybody.
_WORN = frozenset({"1234", "12345", "123456", "1234567", "12345678", "123456789", "4321", "654321", "112233", "1212"})


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
