"""Takes a racer's name out of what is stored of posted results. Pure. Called by stations/posting.py and accounts/data/.

All else of a result stays byte for byte what its station signed for: laps, evidence, the journal's head and signature.
"""

import json
from collections.abc import Mapping
from typing import Any


def redacted(payload: bytes, racer: str) -> bytes:
    """The posted document with this name for its racer."""
    document: dict[str, Any] = json.loads(payload)
    return json.dumps(document | {"racer": racer}, separators=(",", ":"), ensure_ascii=False).encode()


# Under these a racer or a person is named; other fields may hold the same word by chance, such as a kind.
_NAMED = frozenset({"alias", "leader", "name", "previous", "racer", "racers", "seeds", "shown", "winner"})


def renamed(value: Any, names: Mapping[str, str], field: str = "racers") -> Any:
    """A JSON value in which every text that names a racer, and is one of the names, is replaced."""
    if isinstance(value, str):
        return names.get(value, value) if field in _NAMED else value
    if isinstance(value, dict):
        return {key: renamed(each, names, key) for key, each in value.items()}
    return [renamed(each, names, field) for each in value] if isinstance(value, list) else value


def renamed_json(text: str, names: Mapping[str, str]) -> str:
    """The same for JSON as text; a document in which nobody is named so is returned byte for byte."""
    found = json.loads(text)
    changed = renamed(found, names)
    return text if changed == found else json.dumps(changed, separators=(",", ":"), ensure_ascii=False)
