"""JSON that every reader reads alike: UTF-8, each name once in an object, numbers as JSON has them.

Python's own reader also takes UTF-16 and UTF-32, names that stand twice (the last one wins; others take the first),
`NaN` and `Infinity`, and whole numbers of thousands of digits. What is signed, posted, ordered or judged must not mean
one thing here and another thing there (RFC 8259, sections 4 and 8.1; RFC 7493, I-JSON). Used wherever a machine reads
what another one sent; needs only the standard library.
"""

import json
import math
from collections import Counter
from functools import partial
from typing import Any, NoReturn

MAX_DIGITS = 400  # of a number; the largest float has 309


def read_json(data: bytes | str, max_whole: int | None = None) -> Any:
    """The document. Raises ValueError in words for whoever sent it; also for what is nested too deeply.

    `max_whole`: whole numbers are less than this, and not less than its negative; None: any of 400 digits.
    """
    try:
        text = data if isinstance(data, str) else data.decode()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8.") from None
    whole = _whole if max_whole is None else partial(_bounded, max_whole)
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=whole, parse_float=_finite
        )
    except RecursionError:
        raise ValueError("the JSON is nested too deeply.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the name {twice[:40]!r} stands twice in one JSON object.")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON.")


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits; at most {MAX_DIGITS} are read.")
    return int(digits)


def _bounded(limit: int, digits: str) -> int:
    if len(digits) > MAX_DIGITS or not -limit <= (value := int(digits)) < limit:
        raise ValueError(f"the number {digits[:24]} is too large.")
    return value


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits[:20]} is too large.")
    return value
