"""Who may call what at the car: every address as nobody, as a phone that claimed it, and as a page of another site.

`python -m tests.vehicle.web.test_role_table` prints the lines as they are now: read each one before you put it into
the file. "page": the phone's cookie with a foreign page's request, which a browser would send without our header.
"""

import asyncio
import pathlib
import re
import sys
import tempfile

from tests.access_table import HOST, Table, addresses_of, call, read, word, written
from tests.vehicle.web.test_access import FakeModelList
from tests.vehicle.web.test_phone_control import Bench
from vehicle.core.pulses import STOCK_CALIBRATION
from vehicle.web.app import CarInfo, create_app
from vehicle.web.claim_codes import ClaimCodes
from vehicle.web.session_auth import COOKIE

FILE = pathlib.Path(__file__).with_name("role_table.txt")
CALLERS = ("nobody", "phone", "page")
NOW_S = 1_800_000_000.0


def observe(folder: pathlib.Path) -> Table:
    """Call everything as everybody."""
    claims = ClaimCodes(folder / "console.json")
    car = CarInfo("car-7", STOCK_CALIBRATION, "mock", "mock", folder, folder / "calibration.json")
    app = create_app(Bench().control, FakeModelList(), claims, car, wall_s=lambda: NOW_S, now_s=lambda: 100.0)
    cookie = f"{COOKIE}={claims.claim(claims.new_code(), NOW_S)}"
    ours = {"x-raceday": "console", "origin": f"http://{HOST}", "content-type": "application/json"}
    headers = {
        "nobody": ours,
        "phone": ours | {"cookie": cookie},
        "page": {"cookie": cookie, "origin": "http://elsewhere.example", "content-type": "text/plain"},
    }

    async def call_all() -> Table:
        table: Table = {}
        for address in sorted(addresses_of(app), key=lambda each: each == "POST /api/leave"):  # it ends the session
            target = re.sub(r"\{\w+(:path)?\}", "first", address)
            body = b"" if address.startswith("GET") else b"{}"
            answers = [await call(app, target, headers[caller], body) for caller in CALLERS]
            assert all(status < 500 for status, _ in answers), (address, answers)
            table[address] = tuple(word(*answer) for answer in answers)
        return table

    return asyncio.run(call_all())


def test_every_address_lets_through_whom_the_table_says(tmp_path: pathlib.Path) -> None:
    expected, observed = read(FILE), observe(tmp_path)
    assert observed.keys() - expected.keys() == set(), "addresses without a line in role_table.txt"
    assert expected.keys() - observed.keys() == set(), "lines of addresses that there are no more"
    assert {each: words for each, words in observed.items() if expected[each] != words} == {}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(written(CALLERS, observe(pathlib.Path(name))))
