"""Schemathesis over every address of the station: no 5xx, no answer of an undeclared status or type.

The station serves a document of its public addresses only; here one is made of all routes, with schemas of what
officials send: commands by their dataclasses, forms by their fields. Behind it are a real engine and journal.
"""

import contextlib
import pathlib
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

from shared.access.tokens import form_token
from station.access.roles import Role
from station.access.tokens import SESSION_COOKIE
from station.core.inputs import COMMANDS
from station.screens.register import ScreenRegister
from station.store.event_files.tracks import TrackLibrary
from station.web.app import create_app
from station.web.pages.forms import FORM_FIELD
from tests.generated_calls import (
    CallWorld,
    Documented,
    GeneratedCaller,
    SentBody,
    document_of,
    drawn_of,
    try_every_call,
)
from tests.station.web.archived_runs import ArchiveRig, working
from tests.station.web.signed_in import cheap_access, session_of

WITHOUT = ("/live", "/api/v1/now/stream", "/sign-out")  # without an end; ends the callers' sessions
FORM = "application/x-www-form-urlencoded"
TEXT = {"type": "string", "maxLength": 40}
THERE = {
    "race_id": ["race-1"],
    "run_id": ["run-1", "run-2", "run-3"],
    "racer": ["Ada Lovelace"],
    "number": ["1"],
    "act": ["add", "change", "remove", "offer", "revoke", "token"],
    "name": ["a.zip"],
    "code": ["aaaa"],
}
# What pages send as JSON: an object of texts; its fields as the pages have them, and others.
TEXTS = {
    "POST /event": ("act", "name", "track", "direction", "length_m", "time_zone"),
    "POST /event/races": ("act", "race", "name", "track", "max_laps", "min_lap_s", "method", "reason"),
    "POST /event/preview": ("act", "race", "max_laps", "min_lap_s", "method"),
    "POST /racers/import": ("csv", "replace"),
    "POST /racers/preview": ("csv",),
    "POST /api/v1/screens": ("act", "screen", "page", "name"),
    "POST /api/v1/stop": ("reason",),
    "POST /api/v1/stop/release": ("reason",),
}
FORMS = {
    "POST /tracks/choose": ("name",),
    "POST /tracks/remove": ("name",),
    "POST /people/{act}": ("name", "role", "pass_code", "person", "device", "kind"),
    "POST /setup": ("act", "name", "track", "race"),
    "POST /claim": ("code", "name", "pass_code"),
    "POST /sign-in": ("name", "pass_code", "next"),
    "POST /pair": ("code",),
    "POST /backup/{act}": ("file", "confirm"),
}
SCREEN = {"id": TEXT, "page": TEXT, "width": {"type": "integer"}, "height": {"type": "integer"}}
SYNC = {"rejected": {"type": "boolean"}, "webhook_id": TEXT, "author": TEXT}
PULSE = {"type": "object", "properties": {"boot": TEXT, "at_ns": {"type": "integer"}}, "required": ["boot", "at_ns"]}


def bodies() -> dict[str, SentBody]:
    """What is sent, by method and address."""
    command = SentBody(_object({"command": TEXT}))
    pair = {"type": "object", "properties": {"start": PULSE}}
    pulses = {"type": "array", "items": pair, "minItems": 2, "maxItems": 2}
    return {
        **{call: SentBody(_object(dict.fromkeys(fields, TEXT), TEXT)) for call, fields in TEXTS.items()},
        **{call: SentBody(_object(dict.fromkeys((*names, FORM_FIELD), TEXT)), FORM) for call, names in FORMS.items()},
        "POST /api/v1/commands": command,
        "POST /api/v1/preview": command,
        "POST /api/v1/checklist": SentBody(_object({"line": TEXT, "done": {"type": "boolean"}})),
        "POST /api/v1/screens/here": SentBody(_object(SCREEN)),
        "POST /api/v1/sync": SentBody(_object(SYNC)),
        "POST /gates/two-pulses": SentBody(pulses),
    }


def _object(properties: dict[str, Any], more: dict[str, Any] | None = None) -> dict[str, Any]:
    """Of these fields, all of which are there; `more`: the schema of further ones."""
    known = {"type": "object", "properties": properties}
    if more is None:
        return known | {"required": [*properties], "additionalProperties": False}
    return known | {"additionalProperties": more}


def command_schema(name: str) -> dict[str, Any]:
    """The JSON schema of a command as it is sent."""
    schema = TypeAdapter(COMMANDS[name]).json_schema()
    fields = {key: each for key, each in schema["properties"].items() if key not in ("moment", "undoes")}
    needed = [key for key in schema.get("required", []) if key in fields and key != "author"]
    made = {"type": "object", "properties": {"command": {"const": name}, **fields}, "required": ["command", *needed]}
    inlined: dict[str, Any] = _inlined(made, schema.get("$defs", {}))
    return inlined


def _inlined(schema: Any, named: dict[str, Any]) -> Any:
    """The schema without references, which would point into another document."""
    if isinstance(schema, list):
        return [_inlined(each, named) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(named[schema["$ref"].rpartition("/")[2]], named)
    return {key: _inlined(each, named) for key, each in schema.items()}


@contextlib.contextmanager
def station_calls(folder: pathlib.Path) -> Iterator[CallWorld]:
    """The station's app, and who calls it: an admin, a referee, and nobody."""
    with working(ArchiveRig(folder / "station.db")) as rig:
        access = cheap_access(folder)
        parts = {"tracks": TrackLibrary(folder), "screens": ScreenRegister(folder)}
        app = create_app(rig.station, access, send=lambda _: None, **parts)  # type: ignore[arg-type]
        callers = [GeneratedCaller({"origin": "http://127.0.0.1"})]
        for role in (Role.REFEREE, Role.ADMIN):
            session = session_of(access, f"the {role.word}", role)
            headers = {"origin": "http://127.0.0.1", "cookie": f"{SESSION_COOKIE}={session}"}
            callers.append(GeneratedCaller(headers, {FORM_FIELD: form_token(session)}))
        documented = Documented(app, document_of(app, bodies(), WITHOUT))
        commands = drawn_of([command_schema(name) for name in COMMANDS])
        drawn = {"POST /api/v1/commands": commands, "POST /api/v1/preview": commands}
        yield CallWorld(documented, callers, THERE, drawn=drawn)
        app.state.live.close()
        access.close()
    rig.station.close()


@pytest.mark.slow
def test_every_call_answers_as_declared(tmp_path: pathlib.Path) -> None:
    with warnings.catch_warnings(), station_calls(tmp_path) as world:
        warnings.simplefilter("ignore")
        made = try_every_call(world, examples=2)
    assert made.operations > 80
    assert made.requests > 2 * made.operations
