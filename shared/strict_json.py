"""JSON that every reader reads alike: UTF-8, each name once in an object, numbers as JSON has them.

Python's own reader also takes UTF-16 and UTF-32, names that stand twice (the last one wins; others take the first),
`NaN` and `Infinity`, and whole numbers of thousands of digits. What is signed, posted, ordered or judged must not mean
one thing here and another thing there (RFC 8259, sections 4 and 8.1; RFC 7493, I-JSON). Used wherever a machine reads
what another one sent; needs only the standard library.
"""

import json
import math
from typing import Any, NoReturn

MAX_DIGITS = 400  # of a number; the largest float has 309


def read_json(data: bytes | bytearray | memoryview | str) -> Any:
    """The document. Raises ValueError in words for whoever sent it; also for what is nested too deeply."""
    text = data if isinstance(data, str) else bytes(data).decode()
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_whole, parse_float=_finite
        )
    except RecursionError:
        raise ValueError("the JSON is nested too deeply.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise ValueError(f"the name {twice[:40]!r} stands twice in one JSON object.")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON.")


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits; at most {MAX_DIGITS} are read.")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits[:20]} is too large.")
    return value
