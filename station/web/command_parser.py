"""Turns an official's JSON into a command of the core; it is strict, and every refusal is one sentence."""

import dataclasses
import functools
import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.errors import BadInput
from shared.text import text
from shared.units import parse_seconds
from station.core.inputs import COMMANDS, Command

MAX_TEXT = 200
MAX_NAME = 512  # of a racer; the core then limits the characters as a reader counts them
_OURS = ("moment", "code", "delay_ms", "undoes")  # stamped, drawn and set by the service, never by a client


@functools.cache
def _adapter(name: str) -> TypeAdapter[Any]:
    """Made when the first command of its kind arrives, not at each start."""
    return TypeAdapter(COMMANDS[name])


def parse_command(document: object, author: str = "operator") -> Command:
    """`{"command": "void_lap", "number": 3, "reason": "…", "author": "…"}` as VoidLap. Raises BadInput.

    `author` is used when the document names none.
    """
    if not isinstance(document, dict) or not isinstance(document.get("command"), str):
        raise BadInput(text('A command is a JSON object with a "command".'))
    name = document["command"]
    if name not in COMMANDS:
        raise BadInput(
            text("Unknown command {name!r}; the commands are {names}.", name=name[:40], names=", ".join(COMMANDS))
        )
    fields = {key: value for key, value in document.items() if key != "command"}
    known = [f.name for f in dataclasses.fields(COMMANDS[name]) if f.name not in _OURS]
    for key, value in fields.items():
        if key not in known:
            raise BadInput(
                text(
                    "The command {name} has no {field!r}; it takes {names}.",
                    name=name,
                    field=str(key)[:40],
                    names=", ".join(known),
                )
            )
        max_chars = MAX_NAME if key == "racer" else MAX_TEXT
        if isinstance(value, str) and len(value) > max_chars:
            raise BadInput(text("{key!r} is longer than {limit} characters.", key=key, limit=max_chars))
    if isinstance(fields.get("seconds"), str):
        fields["seconds"] = parse_seconds(fields["seconds"])  # as a person wrote it
    return _checked(name, {"author": author, **fields})


def _checked(name: str, fields: dict[str, Any]) -> Command:
    try:
        command: Command = _adapter(name).validate_json(json.dumps(fields, allow_nan=False), strict=True)
    except (ValueError, TypeError, RecursionError) as error:
        if not isinstance(error, ValidationError):
            raise BadInput(text("The command {name} holds a value that JSON cannot express.", name=name)) from None
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "command"
        raise BadInput(
            text(
                "The command {name} is not valid at {where!r}: {first}.",
                name=name,
                where=where[:60],
                first=first["msg"],
            )
        ) from None
    return command
