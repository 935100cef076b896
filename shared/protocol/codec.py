"""Messages to bytes and back: strict JSON `{v, kind, device, boot, seq, body}`, untrusted until checked."""

import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.errors import BadInput
from shared.protocol import messages as m
from shared.protocol.canonical_json import canonical
from shared.protocol.strict_json import read_json
from shared.protocol.topics import BY_BODY, BY_KIND, Topic, device_in

MAX_BYTES = 16_384
MAX_TEXT = 512
_INT_LIMIT = 2**63
_ADAPTERS: dict[str, TypeAdapter[Any]] = {topic.kind: TypeAdapter(topic.body) for topic in BY_BODY.values()}


def encode(message: m.Message) -> bytes:
    """The message as its one canonical JSON text (sorted keys, no spaces), in UTF-8."""
    envelope = message.envelope
    names = [json.dumps(text) for text in (envelope.boot, envelope.device, BY_BODY[type(message.body)].kind)]
    body, (boot, device, kind) = canonical(message.body), names
    numbers = f'"seq":{envelope.seq:d},"v":{envelope.v:d}'
    return f'{{"body":{body},"boot":{boot},"device":{device},"kind":{kind},{numbers}}}'.encode()


def decode(payload: bytes) -> m.Message:
    """Bytes from anywhere to a checked message. Raises BadInput with one sentence.

    Fields that we do not know are ignored (a newer sender may have more); a newer `v` is refused.
    """
    document = _parse(payload)
    version, kind = document.get("v"), document.get("kind")
    if type(version) is not int or version < 1:
        raise BadInput("The message carries no version `v`.")
    if version > m.VERSION:
        raise BadInput(
            f"The message is of version {version}, versions up to {m.VERSION} are read: upgrade this machine."
        )
    topic = BY_KIND.get(kind) if isinstance(kind, str) else None
    if topic is None:
        raise BadInput(f"The message is of unknown kind {str(kind)[:40]!r}.")
    return m.Message(_envelope(document, version), _body(topic, document.get("body")))


def decode_from(topic_name: str, payload: bytes) -> m.Message:
    """As `decode`, and the topic must be the one of this message; a car may publish only for itself."""
    message = decode(payload)
    topic = BY_BODY[type(message.body)]
    device = device_in(topic_name)
    if not device or topic.of(device) != topic_name:
        raise BadInput(f"A {topic.kind} does not belong on the topic {topic_name[:80]!r}.")
    addressed = topic.pattern.startswith("raceday/to/")
    if not addressed and message.envelope.device != device:
        raise BadInput(f"The topic names {device!r} but the message claims to be from another machine.")
    return message


def _parse(payload: bytes) -> dict[str, Any]:
    if len(payload) > MAX_BYTES:
        raise BadInput(f"The message has {len(payload)} bytes; at most {MAX_BYTES} are read.")
    try:
        document = read_json(payload, max_whole=_INT_LIMIT)
    except ValueError:
        raise BadInput("The message is not JSON as we write it.") from None
    if not isinstance(document, dict):
        raise BadInput("The message is not a JSON object.")
    return document


def _envelope(document: dict[str, Any], version: int) -> m.Envelope:
    device, boot, seq = document.get("device"), document.get("boot"), document.get("seq")
    # Half a surrogate pair is text in JSON, and cannot be stored: so names must be printable.
    if not all(isinstance(name, str) and 0 < len(name) <= 64 and name.isprintable() for name in (device, boot)):
        raise BadInput("The message does not name its device and boot.")
    if type(seq) is not int or seq < 0:
        raise BadInput("The message carries no sequence number.")
    return m.Envelope(str(device), str(boot), seq, version)


def _body(topic: Topic, body: object) -> m.Body:
    if isinstance(body, dict) and any(isinstance(v, str) and len(v) > MAX_TEXT for v in body.values()):
        raise BadInput(f"A text in the {topic.kind} is longer than {MAX_TEXT} characters.")
    try:
        # Half a surrogate pair is text in JSON only: encoding finds it.
        text = json.dumps(body, ensure_ascii=False).encode()
        checked: m.Body = _ADAPTERS[topic.kind].validate_json(text, strict=True)
    except UnicodeEncodeError:
        raise BadInput(f"A text in the {topic.kind} is not Unicode.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadInput(f"The {topic.kind} is not valid at {where[:60]!r}: {first['msg']}.") from None
    return checked
