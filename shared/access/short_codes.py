"""Short codes that a person reads from one screen and types at another: claim codes, pairing codes.

Used by the car's console and by the station. The caller draws the random letters.
"""

import secrets
from collections.abc import Callable

# Without 0, O, 1 and I, which people confuse.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
GROUP = 5


def new_code(letters: int = 10, draw: Callable[[str], str] = secrets.choice) -> str:
    """A random code in groups of five, such as 7KQ4M-2XHRD: 5 bits a letter. `draw` picks one letter of a text."""
    code = "".join(draw(ALPHABET) for _ in range(letters))
    return "-".join(code[first : first + GROUP] for first in range(0, letters, GROUP))


def normalised(code: str) -> str:
    """The code in upper case, without separators and other characters that no code contains."""
    return "".join(letter for letter in code.upper() if letter in ALPHABET)
