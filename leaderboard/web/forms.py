"""Posted forms: read with bounds, and accepted only from a page of ours (Origin and token). Used by pages/site.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from fastapi import Request
from python_multipart import create_form_parser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File

from leaderboard.core.errors import NotAllowed
from leaderboard.web.bodies import read_body
from leaderboard.web.identity import asking
from shared.access.tokens import is_form_token
from shared.errors import BadInput
from shared.text import text
from shared.web.security import cross_site_reason

CSRF_FIELD = "csrf"
MAX_FORM_BYTES = 65_536
MAX_FIELDS = 200


@dataclass(frozen=True, slots=True)
class PostedFile:
    """A file that came with a form; its name is whatever the sender says."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class PostedForm:
    """The fields of a form. `every`: of a name that came more than once (checkboxes), all values in their order."""

    values: Mapping[str, str]
    every: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: Mapping[str, PostedFile] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """The field's value without blanks around it; "" if it did not come."""
        return self.values.get(name, "").strip()

    def all(self, name: str) -> tuple[str, ...]:
        """All values of this name."""
        return self.every.get(name, ())


async def read_form(request: Request, max_bytes: int = MAX_FORM_BYTES) -> PostedForm:
    """The form, urlencoded or multipart, if a page of ours sent it for this browser.

    Raises NotAllowed for another site's, BadInput for one that cannot be read, BodyTooLarge, BodyTooSlow.
    """
    found = asking(request)
    if found.refusal is not None:
        raise found.refusal
    if why := cross_site_reason(request.headers, request.url.scheme, text("the leaderboard's")):
        raise NotAllowed(why)
    form = parsed(request.headers.get("content-type", ""), await read_body(request, max_bytes))
    token = form.get(CSRF_FIELD)
    if not (is_form_token(token, found.session) or is_form_token(token, found.form)):
        raise NotAllowed(text("This form is of another session or browser: open the page again."))
    return form


def parsed(content_type: str, body: bytes) -> PostedForm:
    """The form in a body of this type. Raises BadInput."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
            return _form(pairs, {})
        if kind == "multipart/form-data":
            return _multipart(content_type, body)
    except (ValueError, FormParserError):
        raise BadInput(text("The form cannot be read.")) from None
    raise BadInput(text("Send the form of the page."))


def _multipart(content_type: str, body: bytes) -> PostedForm:
    pairs: list[tuple[str, str]] = []
    files: dict[str, PostedFile] = {}

    def on_field(one: Field) -> None:
        pairs.append(((one.field_name or b"").decode(), (one.value or b"").decode()))

    def on_file(one: File) -> None:
        one.file_object.seek(0)
        name = (one.file_name or b"").decode(errors="replace")
        files[(one.field_name or b"").decode()] = PostedFile(name, one.file_object.read())

    headers = {"Content-Type": content_type.encode("latin-1"), "Content-Length": str(len(body)).encode()}
    # All in memory: the whole body is, within its bound.
    parser = create_form_parser(
        headers, on_field, on_file, config={"MAX_MEMORY_FILE_SIZE": len(body) + 1, "MAX_FIELDS": MAX_FIELDS}
    )
    parser.write(body)
    parser.finalize()
    parser.close()
    if len(pairs) + len(files) > MAX_FIELDS:
        raise BadInput(text("The form has too many fields."))
    return _form(pairs, {name: file for name, file in files.items() if file.content or file.name})


def _form(pairs: list[tuple[str, str]], files: dict[str, PostedFile]) -> PostedForm:
    every: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        if "\0" in value:
            raise BadInput(text("The field {name} holds a character that no text has.", name=repr(name[:40])))
        every[name] = (*every.get(name, ()), value)
    return PostedForm({name: values[-1] for name, values in every.items()}, every, files)
