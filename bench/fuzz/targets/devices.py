"""Fuzz targets of what devices say: the decoders' protocols, our Pico, the event manager's timer, recordings of them.

A device's bytes never raise anything, and each edge that comes of them can be stored and read again.
"""

from functools import partial

from bench.fuzz.target import FuzzTarget, TargetTable

S = 1_000_000_000
PROTOCOLS = (
    "alge", "cano", "carrera", "drem", "fsr", "ilap", "ipico", "laprf", "lapz", "openstint", "p3", "rc4", "robitronic",
    "tag", "thcom", "tranx2", "zround",
)  # fmt: skip


def decoder(protocol: str) -> FuzzTarget:
    from station.core.inputs import Edge, GateNote
    from station.gates.decoders import catalog
    from station.gates.decoders.edge_stamper import EdgeStamper, Wiring
    from station.store.encoding import decode_input, encode_input
    from tests.station.gates.decoders import vectors

    assert protocol in catalog.protocols()

    def stored(event: Edge | GateNote) -> None:
        assert decode_input(encode_input(event)) == event

    def call(data: bytes) -> None:
        if not data:
            return
        device, piece = catalog.decoder(protocol), data[0] or 1
        stamper = EdgeStamper("start", Wiring(("beam",)), "session", "boot", S)
        if data[0] & 1:
            device.hello()
        for number, at in enumerate(range(1, len(data), piece)):
            now_ns = 1_000 * S + number * 10_000_000
            device.poll(now_ns)
            for edge in stamper.edges(device.feed(data[at : at + piece]), now_ns):
                stored(edge)
            for note in stamper.new_notes():
                encode_input(note)

    good = vectors.of(protocol)
    return FuzzTarget(call, [*(b"\xc8" + frame for frame in good[:20]), b"\x03" + b"".join(good[:8])], ())


def pico() -> FuzzTarget:
    from station.gates.pico.firmware.gatewire import pack
    from station.gates.pico.session import PicoSession
    from station.store.encoding import decode_input, encode_input

    def call(data: bytes) -> None:
        """Lines of words, each sent with the checksum that it needs."""
        session, now_ns = PicoSession("start", ("a", "b"), "boot", {}), 1_000 * S
        session.connected(now_ns)
        for line in data.split(b"\n"):
            now_ns += 50_000_000
            session.due_bytes(now_ns)
            words = line.decode("latin-1").split(" ")
            sent = line + b"\n" if line[:1] == b"!" else pack(*words)
            for edge in session.on_data(sent, now_ns):
                assert decode_input(encode_input(edge)) == edge
            for note in session.new_notes():
                encode_input(note)
            session.fault(now_ns)

    lines = (
        b"H b1 2 0 4\nO 1 1000 2000\nE 1 0 1 1000\nE 2 0 0 1500\nB 2 3",
        b"H b1 2\nE b1 1 0 1 1000\nP b1 1 5\n!rubbish",
    )
    return FuzzTarget(call, lines, (UnicodeEncodeError,))


def pico_firmware() -> FuzzTarget:
    from station.gates.pico.firmware.gatewire import GateFirmware, pack

    def call(data: bytes) -> None:
        gate = GateFirmware("b1")
        for number, line in enumerate(data.split(b"\n")):
            gate.edge(number * 1000, number % 2, number & 1)
            gate.on_data(line + b"\n", number)
            gate.next_edges()

    return FuzzTarget(call, [pack("P", 1) + pack("R", "b1", 3), b"P 1\nR b1 0"], ())


def drem_timer() -> FuzzTarget:
    from station.gates.drem import DremStream
    from station.store.encoding import decode_input, encode_input

    def call(data: bytes) -> None:
        stream, now_ns = DremStream("start", {"17": "beam"}, "boot", S), 1_000 * S
        for text in data.split(b"\0"):
            now_ns += S
            for edge in stream.on_text(text, now_ns):
                assert decode_input(encode_input(edge)) == edge
            for note in stream.new_notes():
                encode_input(note)

    return FuzzTarget(
        call, [b'{"event":"lap","timestamp":1700000000000,"gpio":17,"lapNumber":1,"sensorLapCount":1}'], ()
    )


def recordings_of_devices() -> FuzzTarget:
    from station.commands.gate.recording_file import Piece, entry, head, hex_lines, recorded

    def call(data: bytes) -> None:
        lines = data.splitlines(keepends=True)
        (list(recorded(lines, "file")) if len(data) % 2 else list(hex_lines(lines, "file", True, lambda _: None)))

    good = head("p3", "/dev/ttyUSB0") + entry(Piece(1, b"\x8e\x8f")) + entry(Piece(2, b"abc"))
    return FuzzTarget(call, [good.encode(), b"8e 02 1f\n# a remark\n8e021f\n"])


DEVICES: TargetTable = {
    **{f"decoder-{name}": partial[FuzzTarget](decoder, name) for name in PROTOCOLS},
    "pico": pico,
    "pico-firmware": pico_firmware,
    "drem-timer": drem_timer,
    "gate-recordings": recordings_of_devices,
}
