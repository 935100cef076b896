"""A claim that finds nothing to drive waits for work, and is answered when something is submitted."""

import asyncio
from typing import Any, cast

from starlette.requests import Request

from leaderboard.api.evaluations.farm_calls import FarmCalls
from leaderboard.api.identity import CallerIdentification
from leaderboard.core.access import Caller
from leaderboard.evaluations.arrivals import WorkArrivals
from leaderboard.evaluations.service import Evaluations
from shared.conditions import ENGINE, Conditions
from shared.protocol.farm import ClaimAnswer, ClaimRequest, WorkItem, decode, encode
from tests.leaderboard.evaluations.virtual_league import CANARY, farm_key

_WORK = (WorkItem("c", "s", "cup", 1, 1, 7, "a" * 64, "", Conditions(), "b" * 64, 60.0),)


class SomeFarm:
    """Who calls is a farm."""

    def caller(self, _request: Request) -> Caller:
        return farm_key()


class LateWork:
    """Has nothing at the first claim, and calls `meanwhile` while that is answered; then it has work."""

    def __init__(self, meanwhile: Any) -> None:
        self.claims, self._meanwhile = 0, meanwhile

    def claim(self, _caller: Caller, _asked: ClaimRequest, _now_utc_ns: int) -> ClaimAnswer:
        self.claims += 1
        if self.claims == 1:
            self._meanwhile()
            return ClaimAnswer()
        return ClaimAnswer(_WORK)


def claim(work: LateWork, arrivals: WorkArrivals, wait_s: float, *, gone: bool = False) -> ClaimAnswer:
    asked = ClaimRequest("n1", ENGINE, canary_sha256=CANARY, wait_s=wait_s)
    messages = [{"type": "http.request", "body": encode(asked), "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        if not gone:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def answered() -> bytes:
        calls = FarmCalls(cast(Evaluations, work), arrivals, cast(CallerIdentification, SomeFarm()), lambda: 1)
        request = Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)
        return bytes((await asyncio.wait_for(calls.claim(request), 15.0)).body)

    return decode(asyncio.run(answered()), ClaimAnswer)


def test_work_that_comes_while_a_claim_waits_is_its_answer() -> None:
    arrivals = WorkArrivals()
    work = LateWork(arrivals.announce)
    assert claim(work, arrivals, 20.0).work == _WORK
    assert claim(LateWork(arrivals.announce), arrivals, 0.0).work == (), "this one does not wait"
    assert claim(LateWork(lambda: None), arrivals, 0.05).work == _WORK, "it looks once more when its time is up"


def test_nobody_is_given_work_who_is_gone_or_whose_server_stops() -> None:
    arrivals = WorkArrivals()
    work = LateWork(arrivals.announce)
    assert claim(work, arrivals, 20.0, gone=True).work == ()
    assert work.claims == 1
    assert claim(LateWork(arrivals.close), arrivals, 20.0).work == ()


def test_processes_tell_one_another() -> None:
    here, there, heard = WorkArrivals(), WorkArrivals(), list[str]()
    here.share(heard.append)
    here.announce()

    async def listens() -> bool:
        with there.listening() as arrived:
            assert [there.receive("cup"), there.receive(heard[0])] == [False, True]
            await asyncio.wait_for(arrived.wait(), 5.0)
            return arrived.is_set()

    assert asyncio.run(listens())
