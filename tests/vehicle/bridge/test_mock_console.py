"""The mock console does what the real one does, its wrong answers too.

Each case was tried on the console's own Flask application, of AWS (2021) and of the community (2026), with the robot's
side played by the states of ctrl_state.cpp; the manual speeds are those that vehicle_control.py documents.
"""

import pytest

from shared.units import NS_PER_S
from tests.vehicle.bridge.console_client import ConsoleClient
from vehicle.bridge.mock_console.manual_speed import category, manual_speed
from vehicle.bridge.mock_console.mock_car import MockCar
from vehicle.bridge.mock_console.mock_console import ConsoleVersion, MockConsole
from vehicle.bridge.mock_console.outputs import CarOutputs

MODEL = "/api/models/Sample_single_cam/model"


@pytest.fixture(params=["stock", "community"])
def client(request: pytest.FixtureRequest) -> ConsoleClient:
    version: ConsoleVersion = request.param
    client = ConsoleClient(MockConsole(MockCar(CarOutputs()), version))
    client.log_in()
    return client


def other(client: ConsoleClient) -> ConsoleClient:
    browser = ConsoleClient(client.console, client.at_s)
    browser.log_in()
    return browser


def drive(client: ConsoleClient) -> None:
    client.call("PUT", "/api/drive_mode", drive_mode="auto")
    client.call("PUT", MODEL)
    client.at_s += 10
    assert client.call("GET", "/api/isModelLoading")["isModelLoading"] == "loaded"
    client.call("PUT", "/api/max_nav_throttle", throttle=50)
    client.call("PUT", "/api/start_stop", start_stop="start")
    client.at_s += 0.1
    client.call("GET", "/api/isModelLoading")
    assert client.console.car.outputs.is_moving


def test_without_a_cookie_only_the_login_is_open(client: ConsoleClient) -> None:
    client.cookies.pop("deepracer_token")
    assert client.ask("GET", "/api/models").status == 401
    assert client.ask("PUT", "/api/start_stop", b'{"start_stop":"stop"}').status == 401
    assert client.ask("GET", "/login").status == 200
    client.through_front_door = False
    assert client.ask("GET", "/api/models").status == 200, "the direct port asks for no cookie"
    assert client.ask("PUT", "/api/start_stop", b'{"start_stop":"stop"}').status == 200


def test_a_wrong_password_is_a_200_and_a_lost_one_is_reset(client: ConsoleClient) -> None:
    client.cookies.clear()
    assert client.log_in("wrong").body == b"failure"
    assert "deepracer_token" not in client.cookies
    client.console.password, client.console.password_lost = "hall", True
    assert client.log_in("hall").body == b"failure"
    assert client.log_in().body == b'{"redirect":"/home"}\n'
    assert client.log_in("p&ss=word%").body == b"failure"
    client.console.password = "p&ss=word%"
    assert client.log_in("p&ss=word%").body != b"failure"


def test_csrf_tokens_are_missing_dead_or_anothers(client: ConsoleClient) -> None:
    stop = b'{"start_stop":"stop"}'
    good = client.token
    cases = {"": b"token is missing", good + "x": b"token is invalid"}
    for token, said in cases.items():
        client.token = token
        assert said in client.ask("PUT", "/api/start_stop", stop).body
    client.token = good
    session = client.cookies.pop("session")
    assert b"session token is missing" in client.ask("PUT", "/api/start_stop", stop).body
    client.cookies["session"] = session
    client.at_s += 3600
    assert client.ask("PUT", "/api/start_stop", stop).status != 400
    client.at_s += 2
    if client.console.version == "community":
        assert b"token has expired" in client.ask("PUT", "/api/start_stop", stop).body
    client.through_front_door = False
    refused = client.ask("PUT", "/api/start_stop", stop)
    assert (refused.status, b"token has expired" in refused.body) == (400, True)
    stranger = ConsoleClient(client.console, client.at_s)
    stranger.open_page()
    client.token = stranger.token
    assert b"do not match" in client.ask("PUT", "/api/start_stop", stop).body


def test_a_second_login_ends_the_first_on_a_stock_console_only(client: ConsoleClient) -> None:
    other(client)
    assert client.ask("GET", "/api/models").status == (401 if client.console.version == "stock" else 200)


def test_a_token_of_the_community_dies_after_twelve_hours(client: ConsoleClient) -> None:
    client.at_s += 12 * 3600 + 1
    assert client.ask("GET", "/api/models").status == (200 if client.console.version == "stock" else 401)


def test_whatever_is_not_exactly_stop_starts_and_not_exactly_manual_is_automatic(client: ConsoleClient) -> None:
    drive(client)
    client.call("PUT", "/api/start_stop", start_stop="Stop")
    assert client.console.car.active["auto"]
    client.call("PUT", "/api/start_stop", start_stop="stop")
    assert not client.console.car.outputs.is_moving
    client.call("PUT", "/api/drive_mode", drive_mode="Manual")
    assert client.console.car.state == "auto"
    client.call("PUT", "/api/drive_mode", drive_mode="manual")
    assert client.console.car.state == "manual"


def test_success_behind_which_nothing_happened(client: ConsoleClient) -> None:
    car = client.console.car
    assert client.call("PUT", "/api/max_nav_throttle", throttle=50) == {"success": True}
    assert car.throttle_scale == 0, "in the manual mode"
    assert client.call("PUT", MODEL) == {"success": True}
    assert client.call("GET", "/api/isModelLoading")["isModelLoading"] == "error"
    assert client.call("POST", "/api/set_led_color", red=255, green=0, blue=0) == {"success": True}
    assert car.led == (0, 0, 0), "outside the calibration"
    client.call("PUT", "/api/drive_mode", drive_mode="auto")
    assert client.call("PUT", "/api/max_nav_throttle", throttle=250) == {"success": True}
    assert car.throttle_scale == 0
    client.call("PUT", "/api/max_nav_throttle", throttle=100)
    assert car.throttle_scale == 1
    client.call("GET", "/api/set_calibration_mode")
    client.call("POST", "/api/set_led_color", red=255, green=0, blue=0)
    assert car.led == (255, 0, 0)


def test_models_load_in_the_background_and_the_newest_request_wins(client: ConsoleClient) -> None:
    car = client.console.car
    car.models.append("Other")
    client.call("PUT", "/api/drive_mode", drive_mode="auto")
    assert client.call("GET", "/api/isModelLoading")["isModelLoading"] == "error", "before the first load"
    client.call("PUT", "/api/models/Other/model")
    client.at_s += 3
    client.call("PUT", MODEL)
    client.at_s += 3
    assert client.call("GET", "/api/isModelLoading")["isModelLoading"] == "loading"
    client.at_s += 2
    assert client.call("GET", "/api/isModelLoading")["isModelLoading"] == "loaded"
    assert car.loaded == "Sample_single_cam"
    listed = client.call("GET", "/api/models")["models"]
    assert [model["model_folder_name"] for model in listed] == ["Sample_single_cam", "Other"]
    assert not client.call("PUT", "/api/models/None/model")["success"]


def test_a_model_is_uploaded_by_its_archives_name(client: ConsoleClient) -> None:
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="fast.tar.gz"\r\n\r\n\x1f\x8b\r\n--b--\r\n'
    answer = client.ask("PUT", "/api/uploadModels", form, content_type="multipart/form-data; boundary=b")
    assert answer.body == b'{"success": true}'
    assert "fast" in client.console.car.models
    wrong = client.ask(
        "PUT", "/api/uploadModels", form.replace(b".tar.gz", b".zip"), content_type="multipart/form-data; boundary=b"
    )
    assert b"false" in wrong.body


def test_a_car_keeps_its_last_pulse_whatever_becomes_of_its_core(client: ConsoleClient) -> None:
    drive(client)
    car = client.console.car
    pulse_ns = car.outputs.motor_ns
    if client.console.version == "stock":
        assert client.ask("PUT", "/api/emergency_stop", b'{"usb_reset":false}').status == 404
        car.restart_core(round(client.at_s * NS_PER_S))
    else:
        client.call("PUT", "/api/emergency_stop", usb_reset=False)
    client.at_s += 5
    assert client.ask("GET", "/api/models").status == 502
    assert car.outputs.is_moving
    assert car.outputs.motor_ns == pulse_ns
    client.at_s += 15
    assert client.ask("GET", "/login").status == 200
    assert not car.outputs.is_moving
    assert (car.state, car.active["manual"], car.throttle_scale) == ("manual", True, 0.0)


def test_a_stop_lets_a_cut_line_on_again_and_a_start_does_not(client: ConsoleClient) -> None:
    drive(client)
    outputs = client.console.car.outputs
    outputs.set_line(1)
    client.call("PUT", "/api/start_stop", start_stop="start")
    assert outputs.line == 1
    client.call("PUT", "/api/start_stop", start_stop="stop")
    assert outputs.line == 0


def test_a_car_that_loads_while_it_drives_keeps_its_last_pulse(client: ConsoleClient) -> None:
    drive(client)
    client.call("PUT", MODEL)
    client.at_s += 3
    client.call("GET", "/api/get_battery_level")
    assert client.console.car.outputs.is_moving


def test_what_is_missing_malformed_or_not_ready(client: ConsoleClient) -> None:
    assert client.call("PUT", "/api/start_stop", other=1) == {"success": False, "reason": "start_stop must be set."}
    assert client.ask("PUT", "/api/start_stop", b"[").status == 400
    assert client.ask("GET", "/api/start_stop").status == 405
    assert client.ask("GET", "/api/nothing").status == 404
    client.console.unready.add("/api/drive_mode")
    assert client.call("PUT", "/api/drive_mode", drive_mode="auto") == {"success": False, "reason": "Error"}
    assert client.console.car.state == "manual"
    supported = client.ask("GET", "/api/supported_apis")
    assert supported.status == (404 if client.console.version == "stock" else 200)


def test_manual_driving_is_in_steps_turned_round_and_held(client: ConsoleClient) -> None:
    client.call("PUT", "/api/manual_drive", angle=0.9, throttle=-0.6, max_speed=0.5)
    client.at_s += 60
    client.call("GET", "/api/get_battery_level")
    assert client.console.car.outputs.is_moving
    assert client.call("PUT", "/api/manual_drive", angle=2, throttle=0, max_speed=1)["reason"] == "angle out of range"


# (step, highest speed) to the speed, as the console's source documents it
SPEEDS = {
    (-0.3, 0.1): -0.1383742911153119,
    (-0.5, 0.1): -0.224952741020794,
    (-0.8, 0.1): -0.3463137996219282,
    (0.3, 0.5): 0.208,
    (0.5, 0.5): 0.33333333333333337,
    (0.8, 0.5): 0.5013333333333334,
    (0.3, 1.0): 0.552,
    (0.5, 1.0): 0.8,
    (0.8, 1.0): 0.992,
    (0.0, 1.0): 0.0,
    (0.8, 0.0): 0.0,
}


@pytest.mark.parametrize(("given", "wanted"), SPEEDS.items(), ids=str)
def test_manual_speeds(given: tuple[float, float], wanted: float) -> None:
    assert manual_speed(*given) == pytest.approx(wanted)


@pytest.mark.parametrize(("value", "step"), [(0, 0), (0.01, 0.3), (-0.5, -0.5), (0.79, 0.5), (1, 0.8), (-0.2, -0.3)])
def test_steps_of_the_stick(value: float, step: float) -> None:
    assert category(value) == step
