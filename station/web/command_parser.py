"""Turns an official's JSON into a command of the core; it is strict, and every refusal is one sentence."""

import dataclasses
import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.errors import BadInput
from shared.units import parse_seconds
from station.core.inputs import COMMANDS, Command

MAX_TEXT = 200
MAX_NAME = 512  # of a racer; the core then limits the characters as a reader counts them
_OURS = ("moment", "code")  # stamped and drawn by the service, never by a client
_ADAPTERS: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(kind) for name, kind in COMMANDS.items()}


def parse_command(document: object, author: str = "operator") -> Command:
    """`{"command": "void_lap", "number": 3, "reason": "…", "author": "…"}` as VoidLap. Raises BadInput.

    `author` is used when the document names none.
    """
    if not isinstance(document, dict) or not isinstance(document.get("command"), str):
        raise BadInput('A command is a JSON object with a "command".')
    name = document["command"]
    if name not in COMMANDS:
        raise BadInput(f"Unknown command {name[:40]!r}; the commands are {', '.join(COMMANDS)}.")
    fields = {key: value for key, value in document.items() if key != "command"}
    known = [f.name for f in dataclasses.fields(COMMANDS[name]) if f.name not in _OURS]
    for key, value in fields.items():
        if key not in known:
            raise BadInput(f"The command {name} has no {str(key)[:40]!r}; it takes {', '.join(known)}.")
        max_chars = MAX_NAME if key == "racer" else MAX_TEXT
        if isinstance(value, str) and len(value) > max_chars:
            raise BadInput(f"{key!r} is longer than {max_chars} characters.")
    if isinstance(fields.get("seconds"), str):
        fields["seconds"] = parse_seconds(fields["seconds"])  # as a person wrote it
    return _checked(name, {"author": author, **fields})


def _checked(name: str, fields: dict[str, Any]) -> Command:
    try:
        command: Command = _ADAPTERS[name].validate_json(json.dumps(fields, allow_nan=False), strict=True)
    except (ValueError, TypeError, RecursionError) as error:
        if not isinstance(error, ValidationError):
            raise BadInput(f"The command {name} holds a value that JSON cannot express.") from None
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "command"
        raise BadInput(f"The command {name} is not valid at {where[:60]!r}: {first['msg']}.") from None
    return command
