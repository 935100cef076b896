"""How long to wait before the next try: doubling, bounded, and random, so that cars do not all return at once."""

import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """`next_s` is drawn from the upper half of first, 2*first, 4*first ... max."""

    first_s: float = 0.2
    max_s: float = 8.0
    rng: random.Random = field(default_factory=random.Random)
    tries: int = 0

    def next_s(self) -> float:
        bound_s = min(self.max_s, self.first_s * 2 ** min(self.tries, 30))
        self.tries += 1
        return self.rng.uniform(bound_s / 2, bound_s)

    def reset(self) -> None:
        self.tries = 0
