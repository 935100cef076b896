"""Speech over HTTP: the announcements of the station as WAV, for screens whose browser has no voice of its own.

Only what the station announced, and one sentence to test with, is rendered: nobody can make it say something else.
"""

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from shared.errors import BadInput, HardwareMissing, RetryLater
from shared.text import text
from shared.text.reader import shown
from shared.web.language import JSONAnswer
from station.speech.espeak import Speech
from station.views.trackside.pronunciation import pronounced, pronunciations
from station.views.views import ServicePort
from station.web.site import Site

TEST = text("This is the voice of race control.")
NOT_STORED = {"cache-control": "no-store"}


def sound_routes(site: Site) -> APIRouter:
    """The page of a screen's sound, and speech for every screen, with the espeak-ng of this machine."""
    router, service, speech = APIRouter(), site.service, Speech.installed()

    @router.get("/sound", response_class=HTMLResponse, name="sound")
    async def show(request: Request) -> HTMLResponse:
        """The page that sets what a screen sounds."""
        return await site.html(request, "sound")

    @router.get("/api/v1/sound")
    async def languages() -> JSONResponse:
        """The languages that the station itself speaks; none if espeak-ng is not installed."""
        return JSONResponse({"languages": speech.languages}, headers=NOT_STORED)

    @router.get("/api/v1/speech/{number}.wav")
    async def wav(number: str, lang: str = "en") -> Response:
        """An announcement as WAV, by its number; `test` is a sentence to test with."""
        sentence = _sentence(service, number)
        if sentence is None:
            return _error(404, text("There is no such announcement any more."))
        try:
            sound = await anyio.to_thread.run_sync(speech.wav, shown(sentence), lang)
        except BadInput as error:
            return _error(400, str(error))
        except RetryLater as error:
            return _error(503, str(error))
        except HardwareMissing as error:
            return _error(501, str(error))
        return Response(sound, media_type="audio/wav", headers=NOT_STORED)

    return router


def _sentence(service: ServicePort, number: str) -> str | None:
    if number == "test":
        return TEST
    view = service.snapshot()
    sentence = next((each.sentence for each in view.announcements if str(each.number) == number), None)
    return None if sentence is None else pronounced(sentence, pronunciations(view.event.racers))


def _error(status: int, sentence: str) -> JSONAnswer:
    return JSONAnswer({"error": sentence}, status, headers=NOT_STORED)
