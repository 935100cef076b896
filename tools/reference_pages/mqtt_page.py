"""docs/reference/mqtt.md: the table of topics, and each message with its fields."""

import dataclasses
import importlib
import typing
from typing import Any

from tools.reference_pages.markdown import comments_of, default_text, first_paragraph, table, type_text


def mqtt_page() -> str:
    """The whole page: the table of topics, and each message with its fields."""
    topics = importlib.import_module("shared.protocol.topics").TOPICS
    rows: list[tuple[object, ...]] = [
        (f"`{t.pattern}`", f"[{t.kind}](#{t.kind.lower()})", t.speaker, t.qos, "yes" if t.retained else "no")
        for t in topics
    ]
    parts = [
        "# MQTT topics and messages",
        "MQTT 5, or 3.1.1 where a broker knows no other. A payload is strict JSON:",
        "`{v, kind, device, boot, seq, body}`; what does not fit its type and range is refused and counted.",
        "`{device}` is the name of the car or station: 1 to 64 of `a-z`, `0-9`, `-` and `_`.\n",
        table(("topic", "message", "published by", "QoS", "retained"), rows),
    ]
    for topic in topics:
        parts += [f"## {topic.kind}", f"{first_paragraph(topic.body.__doc__)}\n", message_table(topic.body)]
    return "\n".join(parts) + "\n"


def message_table(body: type[Any]) -> str:
    """The fields of one message."""
    notes = comments_of(body)
    hints = typing.get_type_hints(body)
    rows: list[tuple[object, ...]] = [
        (f"`{f.name}`", wire_type(hints[f.name]), default_text(f), notes.get(f.name, ""))
        for f in dataclasses.fields(body)
    ]
    return table(("field", "type", "default", "note"), rows)


def wire_type(hint: Any) -> str:
    """A field's type in JSON."""
    if typing.get_origin(hint) is typing.Annotated:
        return wire_type(typing.get_args(hint)[0])
    return "object" if dataclasses.is_dataclass(hint) else type_text(hint)
