"""Inputs by chance, from those that a parser reads well: the fallback where the coverage-guided fuzzer has no wheel.

The same operations as libFuzzer's default mutators, without its knowledge of what is reached: so it finds less.
"""

import random
import re
from collections.abc import Sequence

MAX_BYTES = 6_000
_NUMBERS = tuple(
    value.to_bytes(size, order, signed=value < 0)
    for size in (1, 2, 4, 8)
    for order in ("little", "big")
    for value in (0, -1, 1, 2 ** (8 * size - 1) - 1, -(2 ** (8 * size - 1)))
)
_TEXTS = (b"", b"-1", b"0", b"1e999", b"NaN", b"null", b"9" * 25, b"\x00", b"\xff", b"\xed\xa0\x80", b'"', b"{}", b"[]")


class Mutator:
    """Draws inputs; `keep` adds one that did something new."""

    def __init__(self, seeds: Sequence[bytes], chance: random.Random) -> None:
        self._pool, self._chance = list(seeds) or [b""], chance
        self._words = sorted({word for seed in seeds for word in re.findall(rb"[A-Za-z_]{2,24}", seed)})[:500]

    def keep(self, data: bytes) -> None:
        """Further inputs begin from this one, too."""
        if len(self._pool) < 2_000:
            self._pool.append(data)

    def draw(self) -> bytes:
        """The next input, of at most MAX_BYTES."""
        data = bytearray(self._chance.choice(self._pool))
        for _ in range(self._chance.choice((1, 1, 1, 2, 3, 5, 9))):
            self._change(data)
        return bytes(data[:MAX_BYTES])

    def _change(self, data: bytearray) -> None:
        chance = self._chance
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((1, 1, 2, 4, 8, 64)))
        match chance.randrange(8):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 1 if at < len(data):
                data[at] = chance.randrange(256)
            case 2:
                data[at:end] = b""
            case 3:
                data[at:at] = chance.randbytes(chance.randrange(1, 9))
            case 4:
                data[at:at] = data[at:end] * chance.choice((1, 2, 60))
            case 5:
                data[at:end] = chance.choice(_NUMBERS + _TEXTS)
            case 6:
                other = chance.choice(self._pool)
                began = chance.randrange(len(other) + 1)
                data[at:] = other[began:]
            case 7 if self._words:
                data[at:end] = chance.choice(self._words)
