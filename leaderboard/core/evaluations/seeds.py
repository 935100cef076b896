"""The seeds of a virtual race: committed to when it opens, told when it is closed.

While the race is open, every submission is driven on the race's seeds, which nobody is told. The final seeds are used
once it is closed. What is published at the opening is the SHA-256 of both with a random salt, so that nobody can tune
to them, nor change them later, nor try all seeds until one fits the hash.
"""

import hashlib
import json
from dataclasses import dataclass

SEED_BYTES = 6  # whole numbers up to 2^48 are exact in every language's JSON
SALT_BYTES = 32
RUNS = 9  # so many are drawn, whatever the conditions ask for: they may still be edited


@dataclass(frozen=True, slots=True)
class RaceSeeds:
    """The seeds of run 1, 2, ...: `race` while it is open, `final` for those who are driven again. `salt`: hex."""

    race_id: str
    race: tuple[int, ...]
    final: tuple[int, ...]
    salt: str

    def canonical(self) -> str:
        """What the commitment is the SHA-256 of."""
        document = {"final": self.final, "race": self.race, "race_id": self.race_id, "salt": self.salt}
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    @property
    def commitment(self) -> str:
        """Published when the race opens."""
        return hashlib.sha256(self.canonical().encode("ascii")).hexdigest()


def entropy_bytes() -> int:
    """How many random bytes `draw` takes."""
    return SALT_BYTES + 2 * RUNS * SEED_BYTES


def draw(race_id: str, entropy: bytes) -> RaceSeeds:
    """The seeds that these random bytes make; they must come from the operating system's generator."""
    assert len(entropy) == entropy_bytes(), "as many random bytes as are used"
    salt, rest = entropy[:SALT_BYTES], entropy[SALT_BYTES:]
    numbers = [int.from_bytes(rest[at : at + SEED_BYTES]) for at in range(0, len(rest), SEED_BYTES)]
    return RaceSeeds(race_id, tuple(numbers[:RUNS]), tuple(numbers[RUNS:]), salt.hex())
