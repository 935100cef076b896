"""What a page sends with a form of its own: JSON from the station's own page, turned into a command by the page.

Used by the pages whose forms need more than the names of a command's fields: rules in words, files. Everything else is
sent to /api/v1/commands.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from fastapi import Request

from shared.errors import BadInput, RacedayError, Refused
from shared.protocol.strict_json import read_json
from shared.text import text
from shared.web.language import JSONAnswer
from station.access.identity import Identity
from station.core.inputs import Command
from station.views.command_answers import Accepted, Declined
from station.web.access import command_refusal, identity_of, request_refusal
from station.web.api import CommandTooLarge, error_answer, read_body
from station.web.site import Site

MAX_FIELD = 600
MAX_FORM_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Submission:
    """A form as it arrived: its fields as people wrote them, and who sent it."""

    fields: Mapping[str, str]
    identity: Identity

    @property
    def author(self) -> str:
        return self.identity.author

    @property
    def device(self) -> str:
        return self.identity.device

    def __getitem__(self, name: str) -> str:
        """What stands in the field; "" if it was not sent."""
        return self.fields.get(name, "").strip()


async def received(
    request: Request, max_bytes: int = MAX_FORM_BYTES, max_field: int = MAX_FIELD
) -> Submission | JSONAnswer:
    """The form that was sent, or the answer to a request that is refused."""
    if refused := request_refusal(request.headers, request.url.scheme):
        return error_answer(*refused)
    try:
        document = read_json(await read_body(request, max_bytes))
    except CommandTooLarge:
        return error_answer(413, text("The form has more than {max} bytes.", max=max_bytes))
    except (BadInput, TimeoutError, ValueError):
        return error_answer(400, text("The form did not arrive whole: send it again."))
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
        return error_answer(400, text("A form is a JSON object of texts."))
    if any(len(value) > max_field for value in document.values()):
        return error_answer(400, text("A field has more than {max} characters.", max=max_field))
    return Submission(document, identity_of(request))


async def given(
    site: Site, form: Submission, make: Callable[[], Command], done: Callable[[Accepted], dict[str, Any]]
) -> JSONAnswer:
    """Gives the command that `make` makes of a form; answers with `done`, or with the sentence of the refusal."""
    try:
        command = make()
        if refused := command_refusal(form.identity, command):
            return error_answer(*refused)
        answer = await anyio.to_thread.run_sync(site.service.submit, command)
    except (BadInput, Refused) as error:
        return error_answer(409 if isinstance(error, Refused) else 400, error.args[0])
    except RacedayError as error:
        return error_answer(503, str(error))
    if isinstance(answer, Declined):
        return error_answer(409, answer.sentence)
    return JSONAnswer({"accepted": True, "seq": answer.seq, **done(answer)})
