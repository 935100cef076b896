"""The recorder in the real processes: what it writes of a drive on mock hardware, and what may not suffer from it."""

import os
import pathlib
import signal

import pytest

from raceday.broker import RunningBroker, mosquitto_path, start_broker
from raceday.model import main as model_main
from shared.link.mqtt import MqttLink, MqttOptions
from tests.system.vehicle.test_processes import Car
from tests.vehicle.sample_parts import Station, config_text, write_model
from vehicle.commands.run import main as run_main
from vehicle.recordings.reader import read_recording
from vehicle.recordings.recorder import recordings

pytestmark = [pytest.mark.slow, pytest.mark.broker]


def recording_car(folder: pathlib.Path, broker: RunningBroker) -> Car:
    write_model(folder / "model")
    return Car(
        folder, config_text(folder, broker.port, extra=f'[recorder]\nenabled = true\nfolder = "{folder}/runs"\n')
    )


def test_a_drive_is_recorded_replayed_and_drawn(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed")
    broker = start_broker(tmp_path / "broker", kind="mosquitto")
    link = MqttLink(MqttOptions(port=broker.port), "station-1", "boot-s", "station")
    station = Station(link)
    car = recording_car(tmp_path, broker)
    try:
        station.drive(throttle_percent=40)
        count = len(station.telemetry)
        station.wait(lambda: len(station.telemetry) > count + 3)
        os.kill(car.child("comms"), signal.SIGKILL)  # the recorder dies with it, and control goes on
        station.wait_mode("tripped")
        last_heartbeat = station.beat  # of the comms that died: an order that answers it may be too old by now
        station.wait(lambda: station.beat > last_heartbeat, timeout_s=60)
        for action in ("reset", "arm", "start"):
            station.order(action)
        station.wait_mode("driving")
        count = len(station.telemetry)
        station.wait(lambda: len(station.telemetry) > count + 2)
        station.order("stop")
        station.wait_mode("stopped")
    finally:
        assert car.end() == 0
        assert car.process.stderr is not None
        car.process.stderr.close()
        link.close()
        broker.stop()
    killed, ended = recordings(tmp_path / "runs")
    assert not read_recording([killed]).is_complete
    run = read_recording([ended])
    assert run.is_complete
    driven = [trace for trace in run.traces if trace.mode == "driving"]
    assert max(trace.throttle for trace in driven) == pytest.approx(0.4)
    assert run.traces[-1].throttle == 0.0
    frames = {trace.frame_seq for trace in driven}
    first, last = run.frames[0], run.frames[-1]
    assert first.seq <= min(frames)
    # What a busy recorder had to leave out is counted, and travels with the pictures: known up to the last of them.
    missing = {seq for seq in frames if seq <= last.seq} - {p.seq for p in run.frames}
    assert len(missing) <= last.dropped - first.dropped
    assert [s.mode for _, s in run.states][-1] == "stopped"

    assert model_main(["replay", str(ended)]) == 0
    assert "(100.0%)" in capsys.readouterr().out
    assert run_main(["plot", str(ended)]) == 0
    assert ended.with_suffix(".svg").read_text().startswith("<svg")
    assert run_main(["list", str(tmp_path / "runs")]) == 0
    assert "was cut off" in capsys.readouterr().out
