"""The foundation of all pages: forms with their token, a sentence after a redirect, and refusals as pages."""

import contextlib
from typing import Annotated
from urllib.parse import urlencode

import pytest
from fastapi import Depends, FastAPI, Request, Response
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import ChoiceLoader, DictLoader

from leaderboard.api.http import add_error_handlers
from leaderboard.core.access import ADMIN, Caller
from leaderboard.pages.site import LeaderboardSite
from leaderboard.pages.templates import PageTemplates
from leaderboard.web.forms import MAX_FORM_BYTES, PostedForm, parsed
from leaderboard.web.identification import CallerMiddleware
from leaderboard.web.identity import RequestIdentification
from shared.access.tokens import form_token
from shared.errors import BadInput
from shared.text import text
from shared.web.language import LanguageChoice
from tests.leaderboard.in_process import FormBrowser, call

SESSION = "s" * 43
KEY = "the-only-key-there-is"
ADA = Caller("account-ada", "ada", "Ada", session_id="one")
_TEMPLATE = """{% extends "base.html" %}{% import "forms.html" as forms %}{% block main %}
{% call forms.form(frame, "/try") %}{{ forms.field("name", "Name", form.get("name") if form else "", error=refusal) }}
{{ forms.submit("Save") }}{% endcall %}{% endblock %}"""


class KnowsAda:
    """One session, one key."""

    def by_session(self, token: str, now_utc_ns: int, *, touch: bool = True) -> Caller | None:
        return ADA if token == SESSION else None

    def by_bearer(self, token: str, now_utc_ns: int) -> Caller | None:
        return ADMIN if token == KEY else None


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """An app with one page that has a form."""
    templates = PageTemplates("Board")
    shipped = templates.environment.loader
    assert shipped is not None
    templates.environment.loader = ChoiceLoader([DictLoader({"try.html": _TEMPLATE}), shipped])
    site = LeaderboardSite(templates, RequestIdentification())
    made = FastAPI(openapi_url=None)

    @made.get("/try")
    def page(request: Request) -> Response:
        return site.page(request, "try.html", form=None, refusal="")

    @made.post("/try")
    def tried(request: Request, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        if not form.get("name"):
            return site.page(request, "try.html", 422, form=form, refusal=text("Give it a name."))
        return site.done(request, "/try", text("There is no racer {racer} in this race.", racer=form.get("name")))

    @made.get("/mine")
    def mine(request: Request) -> Response:
        return Response(site.account(request).alias)

    @made.post("/api/v1/mine")
    def called(request: Request) -> Response:
        return Response(site.caller(request).alias)

    made.add_middleware(CallerMiddleware, lookup=KnowsAda(), utc_ns=lambda: 1)
    made.add_middleware(LanguageChoice)
    add_error_handlers(made, site.refused)
    return made


def test_a_form_is_kept_when_refused_and_says_once_what_it_did(app: FastAPI) -> None:
    visitor = FormBrowser(app)
    opened = visitor.get("/try")
    assert "form-action 'self'" in opened.headers["content-security-policy"]
    assert opened.headers["referrer-policy"] == "same-origin"
    refused = visitor.submit("/try", name=" ")
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.text
    assert "Give it a name." in refused.text
    done = visitor.submit("/try", name="<b>Cup</b>")
    assert (done.status_code, done.headers["location"]) == (303, "/try")
    assert "&lt;b&gt;Cup&lt;/b&gt; in this race." in visitor.get("/try").text
    assert "in this race." not in visitor.get("/try").text


def test_what_was_done_is_said_in_the_readers_language(app: FastAPI) -> None:
    visitor = FormBrowser(app)
    visitor.get("/try")
    visitor.submit("/try", name="'cup'")
    page = visitor.get("/try?lang=de").text
    assert 'lang="de"' in page
    assert "There is no racer" not in page
    assert "cup" in page


@pytest.mark.parametrize("token", ["", "0" * 64, form_token(SESSION), form_token("another visitor's")])
def test_a_form_without_its_browsers_token_is_refused(app: FastAPI, token: str) -> None:
    visitor = FormBrowser(app)
    visitor.get("/try")
    refused = visitor.submit("/try", csrf=token, name="Cup")
    assert refused.status_code == 403
    assert "of another session or browser" in refused.text


def test_another_sites_form_is_refused_with_and_without_a_session(app: FastAPI) -> None:
    for cookies in ({}, {"raceday_league": SESSION}):
        visitor = FormBrowser(app)
        visitor.cookies |= cookies
        visitor.get("/try")
        token = visitor.page.partition('name="csrf" value="')[2][:64]
        headers = {"origin": "http://evil.test", "content-type": "application/x-www-form-urlencoded"}
        answer = visitor._request("POST", "/try", headers, f"name=x&csrf={token}".encode())
        assert answer.status_code == 403


def test_a_visitor_is_sent_to_sign_in_and_back(app: FastAPI) -> None:
    sent = FormBrowser(app).get("/mine")
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=/mine")
    signed_in = FormBrowser(app)
    signed_in.cookies["raceday_league"] = SESSION
    assert signed_in.get("/mine").text == "ada"
    assert "/sign-out" in signed_in.get("/try").text


def test_a_scripts_call_needs_the_pages_token_and_a_program_a_valid_key(app: FastAPI) -> None:
    browser = FormBrowser(app)
    browser.cookies["raceday_league"] = SESSION
    assert browser.call("POST", "/api/v1/mine").status_code == 403
    browser.get("/try")
    assert browser.call("POST", "/api/v1/mine").text == "ada"
    assert browser.call("POST", "/api/v1/mine", origin="http://evil.test").status_code == 403
    assert call(app, "POST", "/api/v1/mine", key=KEY).status_code == 200
    assert call(app, "POST", "/api/v1/mine").text == ""
    for wrong in ("x" * 30, KEY + "x", "rk_" + "0" * 43):
        assert call(app, "POST", "/api/v1/mine", key=wrong).status_code == 401


def test_words_that_were_put_into_the_cookie_are_not_notice(app: FastAPI) -> None:
    visitor = FormBrowser(app)
    visitor.get("/try")
    visitor.submit("/try", name="Cup")
    seal, _, words = visitor.cookies["raceday_league_said"].partition(".")
    visitor.cookies["raceday_league_said"] = f"{seal}.{words[:-4]}"
    assert 'class="notice"' not in visitor.get("/try").text


def test_forms_are_bounded(app: FastAPI) -> None:
    visitor = FormBrowser(app)
    visitor.get("/try")
    assert visitor.submit("/try", name="x" * MAX_FORM_BYTES).status_code == 413
    assert visitor.submit("/try", name="a\0b").status_code == 422


def test_a_multipart_form_has_its_fields_and_files() -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nCup \xc3\xa4\r\n'
        b'--x\r\nContent-Disposition: form-data; name="kind"\r\n\r\na\r\n'
        b'--x\r\nContent-Disposition: form-data; name="kind"\r\n\r\nb\r\n'
        b'--x\r\nContent-Disposition: form-data; name="picture"; filename="../p.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\x89PNG\0\r\n--x--\r\n"
    )
    form = parsed("multipart/form-data; boundary=x", body)
    assert (form.get("name"), form.all("kind"), form.get("missing")) == ("Cup ä", ("a", "b"), "")
    assert form.files["picture"].content == b"\x89PNG\0"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["multipart/form-data; boundary=x", "multipart/form-data", "text/x"]))
def test_any_bytes_are_a_form_or_bad_input(body: bytes, kind: str) -> None:
    for each in (body, b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + body):
        with contextlib.suppress(BadInput):
            assert isinstance(parsed(kind, each), PostedForm)


_TYPED = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(st.dictionaries(_TYPED, _TYPED, max_size=5))
@settings(max_examples=30, deadline=None)
def test_what_is_typed_arrives(typed: dict[str, str]) -> None:
    form = parsed("application/x-www-form-urlencoded", urlencode(typed).encode())
    assert dict(form.values) == typed


@pytest.mark.parametrize("name", ["a", "ab", "abc"])
def test_a_notice_comes_back_from_a_browser_as_it_was_sent(app: FastAPI, name: str) -> None:
    visitor = FormBrowser(app)
    visitor.get("/try")
    sent = visitor.submit("/try", name=name).headers["set-cookie"]
    # Browsers send a value in quotes back with them.
    assert '"' not in sent
    visitor.get("/try")
    assert f"There is no racer {name} in this race." in visitor.page
