"""What a fuzz target is: a parser, inputs that it reads well, and how it may refuse. Listed by bench/fuzz/targets/."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.errors import RacedayError


@dataclass(frozen=True, slots=True)
class FuzzTarget:
    """A parser under test: `call` takes any bytes, `seeds` are inputs that it reads well.

    `allowed`: how it refuses an input. Every other exception, a failed assertion too, is an escape.
    """

    call: Callable[[bytes], object]
    seeds: Sequence[bytes]
    allowed: tuple[type[BaseException], ...] = (RacedayError,)


# By the target's name: what makes it. It imports what it tests, so that a process loads and measures only that.
TargetTable = dict[str, Callable[[], FuzzTarget]]
