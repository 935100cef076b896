"""A refused request is counted by its answer's status, or by what its route says was refused."""

import pytest
from starlette.types import Scope

from shared.refusals import Refusals
from shared.web.refused_requests import name_refusal, record_refused_request


def scope(**more: object) -> Scope:
    return {"type": "http", "method": "POST", "path": "/claim", "client": ("10.0.0.9", 4000), **more}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "sign-in"), (403, "permission"), (413, "size"), (415, "form"), (421, "host"), (429, "rate")],
)
def test_the_status_says_what_was_refused(status: int, kind: str) -> None:
    refusals = Refusals()
    record_refused_request(refusals, scope(), status, 0.0)
    assert [(row.kind, row.who, row.what) for row in refusals.counts()] == [(kind, "10.0.0.9", "POST /claim")]


@pytest.mark.parametrize("status", [200, 204, 303, 304, 404, 405, 500, 503])
def test_other_answers_are_no_refusals(status: int) -> None:
    refusals = Refusals()
    record_refused_request(refusals, scope(), status, 0.0)
    assert refusals.counts() == ()


def test_a_route_names_what_it_refused_whatever_its_answer() -> None:
    refusals, request = Refusals(), scope()
    name_refusal(request, "code")
    record_refused_request(refusals, request, 200, 0.0)
    assert refusals.totals() == {"code": 1}


def test_a_client_without_an_address_is_counted_too(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    record_refused_request(refusals, scope(client=None), 401, 0.0)
    assert refusals.totals() == {"sign-in": 1}
    assert caplog.messages == ["refused (sign-in) from (unknown): POST /claim."]
