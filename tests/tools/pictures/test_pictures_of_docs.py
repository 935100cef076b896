"""The pictures of docs/: drawn anew they are the same bytes, their pins are those of the configs beside them, and in a
real browser no text lies outside of its picture, over another text or under a wire.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from gpiozero.pins.pi import PiBoardInfo
from playwright.sync_api import Browser, Page

from shared.config import from_table
from station.gates.gpio.gate import GpioGateOptions
from station.hardware.gpio_start_lights import GpioStartLightsOptions
from station.hardware.gpio_stop_button import GpioStopButtonOptions
from tests.browser import chromium
from tools.draw_pictures import DOCS, ROOT, pictures, with_tables
from tools.pictures import pins
from tools.pictures.pins import PICO_SIDE, WIRINGS, Wiring
from vehicle.config import VehicleConfig

PAGE = (DOCS / "wiring.md").read_text(encoding="utf-8")
DRAWN = {path.stem: text for path, text in pictures().items()}
FIRMWARE = ROOT / "station/gates/pico/firmware/main.py"


def test_pictures_and_tables_are_as_drawn_from_the_data() -> None:
    there = {path.stem: path.read_text(encoding="utf-8") for path in (DOCS / "pictures").glob("*.svg")}
    assert there == DRAWN, "run python tools/draw_pictures.py"
    assert with_tables(PAGE) == PAGE, "run python tools/draw_pictures.py"


def test_each_picture_stands_on_a_page_with_words_for_those_who_do_not_see_it() -> None:
    shown = dict(re.findall(r"!\[([^\]]{20,})\]\(pictures/([\w-]+)\.svg\)", PAGE))
    assert sorted(shown.values()) == sorted(DRAWN)


@pytest.mark.parametrize("wiring", WIRINGS, ids=lambda wiring: wiring.name)
def test_a_wire_goes_to_a_pin_of_its_kind_and_no_pin_has_two(wiring: Wiring) -> None:
    used = [wire.pin for wire in wiring.wires()]
    assert sorted(set(used)) == sorted(used)
    for wire in wiring.wires():
        name = wiring.header[wire.pin]
        assert {"ground": name == "GND", "power": name == "3V3", "signal": name.startswith("GP")}[wire.kind], wire


def test_the_header_is_that_of_gpiozero() -> None:
    """Held against a stranger's table: the one that gpiozero prints as `pinout`, here of a Pi 4."""
    header = PiBoardInfo.from_revision(0xC03112).headers["J8"]
    assert {number: pin.name for number, pin in header.pins.items()} == pins.PI_HEADER


def configs() -> dict[str, dict[str, Any]]:
    """The config text below each picture."""
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    found = {}
    for section in sections:
        picture, text = (
            re.search(r"pictures/([\w-]+)\.svg", section),
            re.search(r"```toml\n(.*?)```", section, re.DOTALL),
        )
        if picture and text:
            found[picture[1]] = tomllib.loads(text[1])
    return found


CONFIGS = configs()


@pytest.mark.parametrize("wiring", [pins.BEAM, pins.STRIPS], ids=lambda wiring: wiring.name)
def test_the_pins_of_a_gate_are_those_of_its_config(wiring: Wiring) -> None:
    (gate,) = CONFIGS[wiring.name]["gate"]
    assert from_table(gate["options"], GpioGateOptions, "gate").pins == wiring.gpios()
    assert len(gate["sensors"]) == len(wiring.gpios())


def test_the_pins_of_button_and_lights_are_those_of_their_configs() -> None:
    button, lights = CONFIGS["station-button"]["stop_button"], CONFIGS["start-lights"]["start_lights"]
    assert (from_table(button["options"], GpioStopButtonOptions, "stop_button").pin,) == pins.STATION_BUTTON.gpios()
    assert from_table(lights["options"], GpioStartLightsOptions, "start_lights").pins == pins.START_LIGHTS.gpios()


def test_the_pi_car_is_wired_as_its_profile_and_its_button_say() -> None:
    whole = (ROOT / "config/vehicle.toml").read_text(encoding="utf-8")
    config = from_table(tomllib.loads(whole) | CONFIGS["pi-car"], VehicleConfig, "vehicle.toml")
    assert (2, 3, config.button.pin) == pins.PI_CAR.gpios()
    assert "motor on 0, steering on 1, tail light on 2 to 4" in (DOCS / "bring-a-car.md").read_text(encoding="utf-8")
    notes = " ".join(note for part in pins.PI_CAR.parts for note in part.notes)
    assert "channel 0: speed controller channel 1: steering servo 2, 3, 4: tail light" in notes


def test_the_pico_is_wired_as_its_firmware_reads_it() -> None:
    (read,) = re.findall(r"^PINS = (.*)$", FIRMWARE.read_text(encoding="utf-8"), re.MULTILINE)
    assert tuple(sorted(pins.PICO.gpios())) == ast.literal_eval(read)
    assert {PICO_SIDE[pin] for pin in (3, 8, 13, 18)} == {"GND"}


# The texts of an SVG with their faults: outside of the sheet, over another text, under a wire.
_FAULTS = """() => {
  const sheet = document.querySelector("svg").viewBox.baseVal, faults = [];
  const texts = [...document.querySelectorAll("text")].map((text) => [text.textContent, text.getBBox()]);
  const apart = (a, b) => a.x >= b.x + b.width || a.y + 3 >= b.y + b.height;
  const meets = (a, b) => !apart(a, b) && !apart(b, a);
  texts.forEach(([words, a], at) => {
    if (a.x < 6 || a.y < 4 || a.x + a.width > sheet.width - 6 || a.y + a.height > sheet.height - 4)
      faults.push(`outside: ${words}`);
    texts.slice(at + 1).forEach(([other, b]) => meets(a, b) && faults.push(`over each other: ${words}, ${other}`));
    for (const part of document.querySelectorAll("rect.part, rect.board")) {
      const b = part.getBBox(), begins = a.x >= b.x && a.x < b.x + b.width && a.y > b.y && a.y < b.y + b.height;
      const ends = a.x + a.width <= b.x + b.width - 4 && a.y + a.height <= b.y + b.height + 1;
      if (begins && !ends) faults.push(`leaves its box: ${words}`);
    }
    for (const line of document.querySelectorAll("polyline")) {
      const length = line.getTotalLength();
      for (let along = 0; along <= length; along += 2) {
        const { x, y } = line.getPointAtLength(along);
        if (x > a.x && x < a.x + a.width && y > a.y + 4 && y < a.y + a.height - 4) {
          faults.push(`a wire over: ${words}`);
          break;
        }
      }
    }
  });
  return faults;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 520, "height": 640})
    yield opened
    opened.close()


@pytest.mark.browser
@pytest.mark.parametrize("name", DRAWN)
def test_every_text_is_inside_and_free(page: Page, name: str) -> None:
    page.set_content(DRAWN[name])
    assert page.evaluate(_FAULTS) == []


@pytest.mark.browser
def test_the_measure_finds_each_kind_of_fault(page: Page) -> None:
    wrong = DRAWN["beam"]
    for words, place in (("outside", "500 100"), ("upon", "16 34"), ("wire", "200 212"), ("too long", "420 200")):
        x, y = place.split()
        wrong = wrong.replace("</svg>", f'<text x="{x}" y="{y}">{words} of us</text></svg>')
    page.set_content(wrong)
    kinds = {fault.partition(":")[0] for fault in page.evaluate(_FAULTS)}
    assert kinds == {"outside", "over each other", "a wire over", "leaves its box"}


@pytest.mark.browser
def test_in_the_dark_the_sheet_is_dark_and_the_words_are_light(browser: Browser) -> None:
    with browser.new_context(color_scheme="dark") as context:
        page = context.new_page()
        page.set_content(DRAWN["network"])
        colours = page.evaluate(
            """() => [".sheet", "text"].map((each) => getComputedStyle(document.querySelector(each)).fill)"""
        )
    assert colours == ["rgb(21, 25, 30)", "rgb(238, 238, 238)"]
