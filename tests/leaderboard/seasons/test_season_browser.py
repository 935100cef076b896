"""The pages of a season in a real browser: nothing overflows on a phone, axe finds nothing, no script is needed."""

import pathlib
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser

from leaderboard.build import open_board
from leaderboard.core.access import ADMIN
from tests.browser import violations
from tests.leaderboard.seasons.sample_season import app_of, fill

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()


@pytest.fixture
def address(tmp_path: pathlib.Path) -> Iterator[tuple[str, str]]:
    """The address of the app over the sample season, and the id of its bracket."""
    board = open_board(tmp_path / "board.db")
    bracket_id = fill(board).brackets.brackets(ADMIN)[0].bracket.bracket_id
    listening = socket.create_server(("127.0.0.1", 0))
    server = _Server(uvicorn.Config(app_of(board), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    assert server.listens.wait(30)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}", bracket_id
    server.should_exit = True
    thread.join(30)
    board.close()


def test_the_pages_fit_a_phone_and_axe_finds_nothing(browser: Browser, address: tuple[str, str]) -> None:
    url, bracket_id = address
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    season = "/seasons/cup-2027"
    for path in (f"{season}?racer=Ben&place=1", f"{season}/teams", f"{season}/prizes", f"/brackets/{bracket_id}"):
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(url + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert violations(page) == [], path
        page.set_viewport_size({"width": 1280, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert problems == []
    context.close()
