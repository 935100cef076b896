"""Fuzz targets of the car: its recordings, calibration, claim file, channels, and a stock car's console."""

import json
import pathlib
import tempfile

from bench.fuzz.target import FuzzTarget, TargetTable


def recordings() -> FuzzTarget:
    import io

    from mcap.writer import Writer

    from vehicle.recordings.reader import read_recording

    path = pathlib.Path(tempfile.mkdtemp(prefix="raceday-fuzz-")) / "run.mcap"
    made = io.BytesIO()
    writer = Writer(made)
    writer.start("raceday", "raceday")
    schema = writer.register_schema("setpoint", "jsonschema", b"{}")
    channel = writer.register_channel("/state", "json", schema)
    writer.add_metadata("raceday", {"car": "car-1"})
    writer.add_message(channel, 1, b'{"mode":"driving","reason":""}', 1)
    writer.finish()  # type: ignore[no-untyped-call]

    def call(data: bytes) -> None:
        path.write_bytes(data)
        read_recording([path])

    return FuzzTarget(call, [made.getvalue()])


def calibrations() -> FuzzTarget:
    from vehicle.calibration.file import read_calibration, write_calibration
    from vehicle.core.pulses import Calibration, ChannelCalibration

    path = pathlib.Path(tempfile.mkdtemp(prefix="raceday-fuzz-")) / "calibration.json"

    def call(data: bytes) -> None:
        path.write_bytes(data)
        read_calibration(path)

    channel = {"min": 1_200_000, "mid": 1_500_000.0, "max": 1_800_000, "polarity": 1}
    stock = {"version": 1, "Calibration": {"Servo": channel, "Motor": channel}}
    of_ours = ChannelCalibration(1_200_000, 1_500_000, 1_800_000)
    write_calibration(path, Calibration(of_ours, of_ours))
    return FuzzTarget(call, [json.dumps(stock).encode(), path.read_bytes()])


def channels() -> FuzzTarget:
    from vehicle.core.messages import Setpoint
    from vehicle.process import channel

    def call(data: bytes) -> None:
        message = channel.unpack(data)
        assert message is None or channel.unpack(channel.pack(message)) is not None

    return FuzzTarget(call, [channel.pack(Setpoint(1, 2, 0.5, 0.25, 3, 4, 5))], ())


def claim_files() -> FuzzTarget:
    from pydantic import ValidationError

    from vehicle.web.claim_codes import _CLAIM_FILE

    return FuzzTarget(
        _CLAIM_FILE.validate_json,
        [b'{"salt":"a","code_scrypt":"b","sessions":[{"token_sha256":"c","opened_s":1.5}],"v":1}'],
        (ValidationError,),
    )


def console_answers() -> FuzzTarget:
    from typing import get_args

    from vehicle.bridge.core.console_calls import CallKind, ConsoleCall, answer_of, battery_percent

    kinds = get_args(CallKind)

    def call(data: bytes) -> None:
        if data:
            answer = answer_of(ConsoleCall(kinds[data[0] % len(kinds)]), 200 if data[0] < 200 else 401, data[1:])
            battery_percent(answer.number)
            assert answer.why.isprintable()

    bodies = (
        {"success": True, "isModelLoading": "loaded", "battery_level": 7},
        {"success": False, "reason": "not now"},
        {"models": [{"model_folder_name": "demo", "is_select_disabled": False}]},
    )
    return FuzzTarget(
        call, [bytes([at]) + json.dumps(each).encode() for at in range(len(kinds)) for each in bodies], ()
    )


def mock_console() -> FuzzTarget:
    from vehicle.bridge.mock_console.mock_car import MockCar
    from vehicle.bridge.mock_console.mock_console import ConsoleRequest, MockConsole
    from vehicle.bridge.mock_console.outputs import CarOutputs

    paths = (
        "/login",
        "/api/manual_drive",
        "/api/max_nav_throttle",
        "/api/drive_mode",
        "/api/start_stop",
        "/api/uploadModels",
    )

    def call(data: bytes) -> None:
        if data:
            console = MockConsole(MockCar(CarOutputs()))
            request = ConsoleRequest(
                ("GET", "POST", "PUT")[data[0] % 3], paths[data[0] // 3 % len(paths)], {}, {}, data[1:]
            )
            console.handle(request, 10**12, through_front_door=bool(data[0] & 128))

    bodies = (b'{"angle":0.5,"throttle":0.5,"max_speed":0.5}', b'{"drive_mode":"manual"}', b'{"start_stop":"start"}')
    return FuzzTarget(call, [bytes([at]) + body for at in range(1, 18) for body in bodies], ())


def leashes() -> FuzzTarget:
    from vehicle.bridge.leash import raceday_leash as leash

    key = b"k" * 32
    hold = leash.Hold(b"n" * 8, 1, 2, 3)
    state = leash.LeashState(b"n" * 8, 1, 2, 0, 1_500_000, 1, 0)

    def call(data: bytes) -> None:
        """Also with the mark that makes a datagram genuine."""
        for datagram in (data, data + leash._mac(key, data)):
            leash.read_hold(datagram, key)
            leash.read_state(datagram, key)

    return FuzzTarget(call, [hold.pack(key), state.pack(key)], ())


CAR_SIDE: TargetTable = {
    "car-recordings": recordings,
    "calibrations": calibrations,
    "car-channels": channels,
    "claim-files": claim_files,
    "console-answers": console_answers,
    "mock-console": mock_console,
    "leash-datagrams": leashes,
}
