"""Writes protocol buffers by hand: frozen graphs that TensorFlow never would."""

import struct
from typing import Any


def varint(value: int) -> bytes:
    """A varint of an unsigned or signed number."""
    value &= (1 << 64) - 1
    encoded = bytearray()
    while True:
        encoded.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(encoded)


def field(number: int, value: int | bytes | str | float) -> bytes:
    """One field of a message: a varint, bytes, a text or a 32-bit float."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def shape(*sizes: int) -> bytes:
    """A TensorShapeProto."""
    return b"".join(field(2, field(1, size)) for size in sizes)


def tensor(sizes: tuple[int, ...], content: bytes = b"", dtype: int = 1, **values: Any) -> bytes:
    """A TensorProto; `one=` gives a single float for all elements."""
    message = field(1, dtype) + field(2, shape(*sizes))
    if content:
        message += field(4, content)
    return message + (field(5, values["one"]) if "one" in values else b"")


def attribute(key: str, value: bytes) -> bytes:
    """An entry of a node's attributes; `value` is an AttrValue."""
    return field(5, field(1, key) + field(2, value))


def node(name: str, op: str, inputs: tuple[str, ...] = (), *attributes: bytes) -> bytes:
    """A NodeDef."""
    return field(1, name) + field(2, op) + b"".join(field(3, one) for one in inputs) + b"".join(attributes)


def graph(*nodes: bytes) -> bytes:
    """A GraphDef."""
    return b"".join(field(1, one) for one in nodes)


HEAD = "main_level/agent/main/online/network_1/ppo_head_0/policy"
SEEN = "main_level/agent/main/online/network_0/FRONT_FACING_CAMERA/FRONT_FACING_CAMERA"


def placeholder(name: str = SEEN, sizes: tuple[int, ...] = (-1, 120, 160, 1)) -> bytes:
    """The placeholder of the camera."""
    return node(name, "Placeholder", (), attribute("dtype", field(6, 1)), attribute("shape", field(7, shape(*sizes))))


def constant(name: str, sizes: tuple[int, ...], one: float = 0.0, content: bytes = b"", dtype: int = 1) -> bytes:
    """A constant of float32, filled with one value, or of other content."""
    values = {} if content else {"one": one}
    return node(name, "Const", (), attribute("value", field(8, tensor(sizes, content, dtype, **values))))


def integers(name: str, *values: int) -> bytes:
    """A constant of int32."""
    return constant(name, (len(values),), content=struct.pack(f"<{len(values)}i", *values), dtype=3)


def rescaled(source: str, result: str, r: str = "r") -> list[bytes]:
    """rl_coach's gradient rescaler, as its nodes: from the value `source` to the same value, `result`."""
    mask = attribute("shrink_axis_mask", field(3, 1))
    return [
        constant(f"{result}/sub/x", (), 1.0),
        node(f"{result}/sub", "Sub", (f"{result}/sub/x", r)),
        node(f"{result}/stack", "Pack", (source,)),
        node(f"{result}/stop", "StopGradient", (f"{result}/stack",)),
        node(f"{result}/mul", "Mul", (f"{result}/sub", f"{result}/stop")),
        node(f"{result}/stack_1", "Pack", (source,)),
        node(f"{result}/mul_1", "Mul", (r, f"{result}/stack_1")),
        node(f"{result}/add", "AddV2", (f"{result}/mul", f"{result}/mul_1")),
        *(integers(f"{result}/{bound}", value) for bound, value in (("begin", 0), ("end", 1), ("step", 1))),
        node(result, "StridedSlice", (f"{result}/add", f"{result}/begin", f"{result}/end", f"{result}/step"), mask),
    ]


def dense(actions: int = 3, *, last: str = "Softmax") -> list[bytes]:
    """The smallest policy: the picture flattened, one dense layer."""
    return [
        placeholder(),
        integers("sizes", -1, 19200),
        node("flat", "Reshape", (SEEN, "sizes")),
        constant("weights", (19200, actions), 0.001),
        node("fc", "MatMul", ("flat", "weights")),
        node(HEAD, last, ("fc",)),
    ]
