"""Damaged captures, counted by hand: what the last line of `raceday gate decode` must be."""

import json
import pathlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from station.commands.gate.gate import main
from tests.station.gates.decoders import encoders
from tests.station.gates.decoders.vectors import P3, RC4_SENT, of

KEYS = ("frames", "bad_crc", "bad_length", "bad_fields", "resynced_bytes", "gaps", "passings")
NS_2019 = 1_551_542_808_933_000


def p3(number: int, car: int = 5) -> bytes:
    return encoders.p3_passing(number, car, NS_2019 + number * 1_000_000)


def rc4(number: int, ms: int) -> bytes:
    return encoders.rc4("@", 20, number, 8_533_156, f"{ms / 1000:.3f}", 400, 163, 2)


def flipped(frame: bytes, at: int) -> bytes:
    return frame[:at] + bytes((frame[at] ^ 1,)) + frame[at + 1 :]


@dataclass(frozen=True, slots=True)
class Hand:
    """A capture and its counts; those that are not named are zero."""

    name: str
    protocol: str
    sent: bytes
    counts: dict[str, int] = field(default_factory=dict)


T = b"$09000235BF3436E021358700\r\n"
I1, I2 = encoders.ilap(204, 3_456_789, 324_620), encoders.ilap(204, 3_456_789, 331_000)
A = encoders.alge(35, "C0", "21:46:36.3910", summed=True)
G = encoders.tag(200, 1, "2:51:15.742000")
L1, L2, L4 = (encoders.laprf(2, number, 80_000_000 + number * 9_000_000, 2298) for number in (1, 2, 4))
C1, C2 = encoders.carrera(2, 226_287, 1), encoders.carrera(2, 236_050, 1)
Z = encoders.zround(26, 1_000)
K = encoders.cano(2_351_957, 481_798)
Q = encoders.ipico("058000123b32", "260307134850", 50)
M1, M3 = encoders.drem(17, 1_780_000_000_123, 1), encoders.drem(17, 1_780_000_020_123, 3)

HANDS = (
    Hand("noise between", "p3", b"\0\1" + p3(1) + b"zz" + p3(2), {"frames": 2, "passings": 2, "resynced_bytes": 4}),
    Hand("one CRC altered", "p3", p3(1) + flipped(p3(2), 15) + p3(3), {
        "frames": 2, "passings": 2, "bad_crc": 1, "gaps": 1, "resynced_bytes": 51}),
    Hand("the length altered", "p3", flipped(p3(1), 2), {"bad_length": 1, "resynced_bytes": 51}),
    Hand("a byte lost", "p3", p3(1)[:20] + p3(1)[21:] + p3(2), {
        "frames": 1, "passings": 1, "bad_length": 1, "resynced_bytes": 50}),
    Hand("a byte doubled", "p3", p3(1)[:20] + p3(1)[19:], {"bad_length": 1, "resynced_bytes": 52}),
    Hand("cut by the next", "p3", p3(1)[:20] + p3(2), {
        "frames": 1, "passings": 1, "bad_length": 1, "resynced_bytes": 20}),
    Hand("cut at the end", "p3", p3(1) + p3(2)[:20], {
        "frames": 1, "passings": 1, "bad_length": 1, "resynced_bytes": 20}),
    Hand("begun in the middle", "p3", p3(1)[20:] + p3(2), {"frames": 1, "passings": 1, "resynced_bytes": 31}),
    Hand("three numbers lost", "p3", p3(1) + p3(5), {"frames": 2, "passings": 2, "gaps": 1}),
    Hand("two places of loss", "p3", p3(1) + p3(3) + p3(4) + p3(9), {"frames": 4, "passings": 4, "gaps": 2}),
    Hand("told twice", "p3", p3(1) + p3(1) + p3(2), {"frames": 3, "passings": 3}),
    Hand("and status", "p3", encoders.p3_status() + p3(1) + encoders.p3_status(), {"frames": 3, "passings": 1}),
    Hand("the nine lines", "rc4", b"".join(RC4_SENT), {"frames": 9, "passings": 5, "gaps": 4}),
    Hand("an altered line", "rc4", rc4(1, 1000) + flipped(rc4(2, 9000), 12) + rc4(3, 17_000), {
        "frames": 2, "passings": 2, "bad_crc": 1, "gaps": 1, "resynced_bytes": len(rc4(2, 9000)) - 2}),
    Hand("line feeds alone, no SOH", "rc4", encoders.rc4("#", 20, 0, 72, 0, end=b"\n", soh=b""), {"frames": 1}),
    Hand("an end was lost", "rc4", rc4(1, 1000).rstrip() + rc4(2, 9000), {"frames": 2, "passings": 2}),
    Hand("cut by the next", "rc4", rc4(1, 1000)[:15] + rc4(2, 9000), {
        "frames": 1, "passings": 1, "bad_length": 1, "resynced_bytes": 15}),
    Hand("an end was lost", "tranx2", T.rstrip() + b"#0970\r\n", {"frames": 2, "passings": 1}),
    Hand("no hex digit", "tranx2", T.replace(b"35BF", b"M5BF"), {"bad_fields": 1, "resynced_bytes": 25}),
    Hand("too short", "tranx2", T[:23] + b"\r\n" + T, {
        "frames": 1, "passings": 1, "bad_length": 1, "resynced_bytes": 23}),
    Hand("a digit lost", "cano", K[1:] + K, {"frames": 1, "passings": 1, "bad_length": 1, "resynced_bytes": 13}),
    Hand("an end was lost", "ilap", I1.rstrip() + I2, {"frames": 2, "passings": 2}),
    Hand("cut", "ilap", I1[:10] + b"\r\n" + I2, {"frames": 1, "passings": 1, "bad_length": 1, "resynced_bytes": 10}),
    Hand("cut", "zround", Z[:5] + Z, {"frames": 1, "passings": 1, "bad_length": 1, "resynced_bytes": 5}),
    Hand("no hex digit", "zround", b"%L1A,3G8&", {"bad_fields": 1, "resynced_bytes": 9}),
    Hand("sum and none", "alge", A + encoders.alge(36, "C1", "21:46:40.0000"), {"frames": 2}),
    Hand("stripped by a log", "alge", b"0051 C0  08:44:20.1228 00\n0069 C0  08:56:21.9123 00\n", {"frames": 2}),
    Hand("an altered digit", "alge", flipped(A, 11), {"bad_crc": 1, "resynced_bytes": 28}),
    Hand("cut", "alge", A[:15] + b"\r" + A, {"frames": 1, "bad_length": 1, "resynced_bytes": 15}),
    Hand("no time of day", "alge", encoders.alge(35, "C0", "21:66:36.3910"), {"bad_fields": 1, "resynced_bytes": 26}),
    Hand("cut", "tag", G[:22] + b"\r\n" + G, {"frames": 1, "bad_length": 1, "resynced_bytes": 22}),
    Hand("no digit", "tag", G.replace(b":51:", b":5x:"), {"bad_fields": 1, "resynced_bytes": 30}),
    Hand("a number lost", "laprf", L1 + L2 + L4, {"frames": 3, "passings": 3, "gaps": 1}),
    Hand("an altered bit", "laprf", L1 + flipped(L2, 20), {
        "frames": 1, "passings": 1, "bad_crc": 1, "resynced_bytes": len(L2)}),
    Hand("an altered nibble", "carrera", flipped(C1, 5) + C2, {
        "frames": 1, "passings": 1, "bad_crc": 1, "resynced_bytes": len(C1) - 1}),
    Hand("cut", "carrera", C1[:8] + b"$" + C2, {"frames": 1, "passings": 1, "bad_length": 1, "resynced_bytes": 8}),
    Hand("an altered digit", "ipico", flipped(Q, 12), {"bad_crc": 1, "resynced_bytes": len(Q) - 2}),
    Hand("cut", "ipico", Q[:20] + b"\r\n" + Q, {"frames": 1, "passings": 1, "bad_length": 1, "resynced_bytes": 20}),
    Hand("a lap lost", "drem", M1 + M3, {"frames": 2, "gaps": 1}),
    Hand("cut", "drem", M1[:30] + b"\n" + M1, {"frames": 1, "bad_length": 1, "resynced_bytes": 30}),
    Hand("three passes", "fsr", b"1\r\n1\r\n1\r\n", {"frames": 3}),
)  # fmt: skip
ids = [f"{hand.protocol}: {hand.name}" for hand in HANDS]


def counts(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, int]:
    """The counts in the last line of `decode`, checked against the number of frames before it."""
    assert main(["decode", *words]) == 0
    *frames, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(frames) == last["frames"]
    return {key: last[key] for key in KEYS if last[key]}


@pytest.mark.parametrize("hand", HANDS, ids=ids)
def test_it_counts_as_a_person_does(hand: Hand, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
    file = tmp_path / "capture"
    file.write_bytes(hand.sent)
    assert counts(capsys, "--protocol", hand.protocol, str(file)) == hand.counts
    file.write_text(hand.sent.hex() + "\n")
    assert counts(capsys, "--protocol", hand.protocol, "--hex", str(file)) == hand.counts


@pytest.mark.parametrize("seed", range(8))
def test_a_real_capture_with_damage(seed: int, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
    """Recorded lines, some with an altered byte, some cut, some followed by noise; each fault is counted."""
    chance = random.Random(seed)
    text = (pathlib.Path(__file__).parent / "captures" / "p3_short.hex").read_text()
    lines = [line for line in text.splitlines() if line.startswith("8e")]
    bad_crc = bad_length = noise = 0
    out = []
    for line in lines:
        fate, frame = chance.random(), bytes.fromhex(line)
        if fate < 0.03:
            at = frame.index(b"\x04", 10) if b"\x04" in frame[10:-1] else 12
            frame, bad_crc = frame[:at] + bytes((frame[at] ^ 2,)) + frame[at + 1 :], bad_crc + 1
            noise += len(frame)
        elif fate < 0.06:
            frame, bad_length = frame[: chance.randrange(5, len(frame) - 1)], bad_length + 1
            noise += len(frame)
        elif fate < 0.09:
            dirt = bytes(chance.randrange(0x80) for _ in range(chance.randrange(1, 9)))
            frame, noise = frame + dirt, noise + (len(dirt) if dirt.strip(b"\r\n") else 0)
        out.append(frame)
    file = tmp_path / "hex"
    file.write_text("\n".join(frame.hex(" ") for frame in out))
    last_counts = counts(capsys, "--protocol", "p3", "--hex", str(file))
    assert last_counts["frames"] == len(lines) - bad_crc - bad_length
    assert (last_counts["bad_crc"], last_counts["bad_length"], last_counts["resynced_bytes"]) == (
        bad_crc,
        bad_length,
        noise,
    )


FORMS = (
    ("lower case", lambda frame: frame.hex()),
    ("upper case", lambda frame: frame.hex().upper()),
    ("pairs", lambda frame: frame.hex(" ")),
    ("colons", lambda frame: frame.hex(":")),
    ("one 0x", lambda frame: "0x" + frame.hex()),
    ("each 0x", lambda frame: ", ".join(f"0x{byte:x}" for byte in frame)),
    ("C array", lambda frame: "{" + ", ".join(f"0x{byte:02X}" for byte in frame) + "},"),
    ("backslashes", lambda frame: 'b"' + "".join(f"\\x{byte:02x}" for byte in frame) + '"'),
    ("a time before", lambda frame: "16:06:48.933 " + frame.hex()),
    ("date and time before", lambda frame: "2019-03-02 16:06:48,933 " + frame.hex(" ")),
    ("ISO time before", lambda frame: "2019-03-02T16:06:48.933Z\t" + frame.hex()),
    ("seconds before", lambda frame: "1551542808.933122 " + frame.hex(" ")),
    ("milliseconds before", lambda frame: "1551542808933 " + frame.hex()),
    ("brackets before", lambda frame: "[  12.5] " + frame.hex()),
    ("a comment behind", lambda frame: "  " + frame.hex() + "   # as received"),
    ("Windows", lambda frame: frame.hex() + "\r"),
)


@pytest.mark.parametrize(("name", "form"), FORMS, ids=[name for name, _ in FORMS])
def test_hex_as_people_write_it(
    name: str, form: Callable[[bytes], str], capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    file = tmp_path / name
    for protocol, frames in (("p3", [recorded.sent for recorded in P3]), ("rc4", RC4_SENT), ("alge", of("alge"))):
        file.write_text("\ufeff# made by hand\n\n" + "\n".join(form(frame) for frame in frames) + "\n\n", "utf-8")
        last_counts = counts(capsys, "--protocol", protocol, "--hex", str(file))
        assert (last_counts["frames"], last_counts.get("resynced_bytes", 0)) == (len(frames), 0)


def _letters(row: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)


DUMPS: tuple[tuple[str, Callable[[int, bytes], str]], ...] = (
    ("hexdump -C", lambda at, row: f"{at:08x}  {row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}  |{_letters(row)}|"),
    ("xxd", lambda at, row: f"{at:08x}: {row.hex(' ', -2):<39}  {_letters(row)}"),
    ("Wireshark", lambda at, row: f"{at:04x}   {row.hex(' '):<47}   {_letters(row)}"),
)


@pytest.mark.parametrize(("name", "row"), DUMPS, ids=[name for name, _ in DUMPS])
def test_a_dump_is_a_stream(
    name: str, row: Callable[[int, bytes], str], capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    file = tmp_path / name
    for protocol, frames in (("p3", [recorded.sent for recorded in P3]), ("rc4", RC4_SENT), ("laprf", [L1, L2, L4])):
        sent = b"".join(frames)
        rows = [row(at, sent[at : at + 16]) for at in range(0, len(sent), 16)]
        file.write_text("\n".join([*rows, f"{len(sent):08x}"]) + "\n")
        last_counts = counts(capsys, "--protocol", protocol, "--hex", str(file))
        assert (last_counts["frames"], last_counts.get("resynced_bytes", 0)) == (len(frames), 0)


def test_half_a_byte_is_left_out_and_said(capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
    file = tmp_path / "cut"
    file.write_text(p3(1).hex() + "\n" + p3(2).hex()[:41])
    assert main(["decode", "--protocol", "p3", "--hex", str(file)]) == 0
    last_counts = capsys.readouterr()
    last = json.loads(last_counts.out.splitlines()[-1])
    assert (last["frames"], last["bad_length"], last["resynced_bytes"]) == (1, 1, 20)
    assert last_counts.err == f"{file}: line 2 ends in the middle of a byte, which is left out.\n"


def test_hex_text_without_the_word_is_noticed(capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
    file = tmp_path / "hex"
    file.write_text(p3(1).hex(" ") + "\n")
    assert main(["decode", "--protocol", "p3", str(file)]) == 0
    assert "try --hex" in capsys.readouterr().err
