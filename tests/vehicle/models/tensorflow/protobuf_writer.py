"""Writes protocol buffers by hand: frozen graphs that TensorFlow never would."""

import struct
from typing import Any


def varint(value: int) -> bytes:
    """An unsigned or signed number."""
    value &= (1 << 64) - 1
    found = bytearray()
    while True:
        found.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(found)


def field(number: int, value: int | bytes | str | float) -> bytes:
    """One field of a message."""
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
    """A TensorProto; `one=` is a single float that stands for all."""
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
    """The camera."""
    return node(name, "Placeholder", (), attribute("dtype", field(6, 1)), attribute("shape", field(7, shape(*sizes))))


def constant(name: str, sizes: tuple[int, ...], one: float = 0.0, content: bytes = b"", dtype: int = 1) -> bytes:
    """A constant of float32, filled with one value, or of other content."""
    values = {} if content else {"one": one}
    return node(name, "Const", (), attribute("value", field(8, tensor(sizes, content, dtype, **values))))


def integers(name: str, *values: int) -> bytes:
    """A constant of int32."""
    return constant(name, (len(values),), content=struct.pack(f"<{len(values)}i", *values), dtype=3)


def rescaled(given: str, made: str, r: str = "r") -> list[bytes]:
    """rl_coach's gradient rescaler, as its nodes: from the value `given` to the same value, `made`."""
    mask = attribute("shrink_axis_mask", field(3, 1))
    return [
        constant(f"{made}/sub/x", (), 1.0),
        node(f"{made}/sub", "Sub", (f"{made}/sub/x", r)),
        node(f"{made}/stack", "Pack", (given,)),
        node(f"{made}/stop", "StopGradient", (f"{made}/stack",)),
        node(f"{made}/mul", "Mul", (f"{made}/sub", f"{made}/stop")),
        node(f"{made}/stack_1", "Pack", (given,)),
        node(f"{made}/mul_1", "Mul", (r, f"{made}/stack_1")),
        node(f"{made}/add", "AddV2", (f"{made}/mul", f"{made}/mul_1")),
        *(integers(f"{made}/{bound}", value) for bound, value in (("begin", 0), ("end", 1), ("step", 1))),
        node(made, "StridedSlice", (f"{made}/add", f"{made}/begin", f"{made}/end", f"{made}/step"), mask),
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
