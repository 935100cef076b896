"""The car's console in German: its page, and what the car answers."""

import requests

from tests.english_left import english_left, texts_of
from tests.vehicle.web.test_access import OURS, Site, site

__all__ = ["site"]
GERMAN = {"accept-language": "de-DE,de;q=0.9"}


def test_no_english_is_left_on_the_console(site: Site) -> None:
    page = requests.get(site.url, headers=GERMAN, timeout=60)
    assert '<html lang="de">' in page.text
    assert english_left(texts_of(page.text), "de") == []
    script = page.text.partition('<script src="/static/text-de.js')[2].partition('"')[0]
    words = requests.get(f"{site.url}/static/text-de.js{script}", timeout=60)
    assert "immutable" in words.headers["cache-control"]
    assert "Das Auto antwortet nicht." in words.text


def test_a_refusal_and_the_reason_of_a_stop_are_german(site: Site) -> None:
    refused = requests.post(f"{site.url}/api/claim", json={"code": "x"}, headers={**OURS, **GERMAN}, timeout=60)
    assert refused.json()["error"].startswith("Das ist nicht der Code des Autos")
    phone = site.phone()
    stopped = phone.post(f"{site.url}/api/stop", json={}, headers=GERMAN, timeout=60)
    assert english_left([stopped.json()["message"]], "de") == []
