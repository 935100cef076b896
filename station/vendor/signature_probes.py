"""Probes of signatures and clocks: what must be refused, and what must not."""

import secrets
import time
from dataclasses import replace

from station.vendor.endpoint import Endpoint
from station.vendor.made_results import ResultMaker
from station.vendor.probe import Probe, accepted, refused

_REQUEST, _ANSWERS = "The request", "The answers"
_FAR_S, _NEAR_S = 900, 120


def _unsigned(endpoint: Endpoint, make: ResultMaker) -> None:
    post = endpoint.signed(make.result("unsigned"))
    for header in ("webhook-signature", "webhook-timestamp", "webhook-id"):
        refused(endpoint.post(post, {header: ""}), (401,), f"a post without {header}")
    accepted(endpoint.post(post), "the same post, signed", (201,))


def _forged(endpoint: Endpoint, make: ResultMaker) -> None:
    post = endpoint.signed(make.result("forged"))
    refused(endpoint.post(replace(post, keys=(secrets.token_bytes(32),))), (401,), "a post signed with another secret")
    other = endpoint.signed(make.result("forged, other"))
    swapped = replace(other, body=post.body)
    refused(endpoint.post(swapped, other.headers(time.time())), (401,), "a signature of another body")
    refused(endpoint.post(post, {"webhook-signature": "v1,"}), (401,), "an empty signature")
    refused(endpoint.post(post, {"webhook-signature": "v1,%%%"}), (401,), "a signature that is not base64")


def _rotated(endpoint: Endpoint, make: ResultMaker) -> None:
    post = endpoint.signed(make.result("rotated"))
    both = replace(post, keys=(secrets.token_bytes(32), endpoint.key))
    accepted(endpoint.post(both), "a post with two signatures, the second of them right", (201,))


def _stale(endpoint: Endpoint, make: ResultMaker) -> None:
    post = endpoint.signed(make.result("stale"))
    for skew_s, words in ((-_FAR_S, "old"), (_FAR_S, "ahead")):
        refused(endpoint.post(replace(post, skew_s=skew_s)), (401,), f"a post that is {_FAR_S} s {words}")
    accepted(endpoint.post(post), "the same post with the right time", (201,))


def _skewed(endpoint: Endpoint, make: ResultMaker) -> None:
    for skew_s in (-_NEAR_S, _NEAR_S):
        post = endpoint.signed(make.result(f"skewed {skew_s}"))
        accepted(endpoint.post(replace(post, skew_s=skew_s)), f"a post whose clock is off by {skew_s} s", (201,))


def _other_id(endpoint: Endpoint, make: ResultMaker) -> None:
    post = replace(endpoint.signed(make.result("other id")), webhook_id=f"check.{make.mark}.none.1")
    refused(endpoint.post(post), (400, 409, 422), "a webhook-id that is not the result's")


PROBES = (
    Probe("unsigned", _ANSWERS, "401: bad signature or stale", _unsigned),
    Probe("forged", _REQUEST, "check the signature on the raw bytes before you parse them", _forged),
    Probe("rotated-signatures", _REQUEST, "several signatures, separated by spaces, during rotation", _rotated),
    Probe("stale", _REQUEST, "webhook-timestamp: refuse more than 5 minutes' difference", _stale),
    Probe("skewed-clock", _REQUEST, "webhook-timestamp: less than 5 minutes' difference is no reason", _skewed),
    Probe("webhook-id", _REQUEST, "webhook-id: result_id, a dot, revision", _other_id),
)
