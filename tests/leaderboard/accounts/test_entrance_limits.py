"""Trying often: one address is slowed down and others are not, memory stays bounded, and hashing takes turns."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.accounts.entrance import throttle
from leaderboard.accounts.entrance.passphrases import AT_ONCE, WAITING, PassphraseHashing, checked_passphrase
from leaderboard.accounts.entrance.throttle import EntranceThrottle, RateLimiter, network_of
from leaderboard.core.errors import RateLimited
from shared.errors import Refused, RetryLater


def test_ten_thousand_tries_a_minute_from_one_address_leave_others_alone() -> None:
    gate, let_through, others, waits_s = EntranceThrottle(), 0, 0, []
    for number in range(10_000):
        now_s = 1000.0 + number * 60 / 10_000
        try:
            gate.failed(gate.sign_in(f"racer-{number % 50}", "203.0.113.9", now_s), now_s)
            let_through += 1
        except RateLimited as error:
            waits_s.append(error.after_s or 0)
        if number % 100 == 0:
            gate.succeeded(gate.sign_in(f"racer-{number % 50}", f"198.51.100.{number // 100}", now_s))
            others += 1
    assert let_through <= throttle.ADDRESS_BURST + throttle.ADDRESS_PER_MINUTE + 1
    assert others == 100
    assert 1 <= min(waits_s) <= max(waits_s) <= 60


def test_an_account_has_a_bound_of_wrong_tries_from_all_addresses_but_its_own() -> None:
    gate = EntranceThrottle()
    gate.succeeded(gate.sign_in("ada", "192.0.2.1", 0.0))
    refused = 0
    for number in range(200):
        try:
            gate.failed(gate.sign_in("ada", f"10.0.{number}.1", 1.0), 1.0)
        except RateLimited:
            refused += 1
    assert refused == 200 - throttle.ALIAS_BURST
    gate.sign_in("ada", "192.0.2.1", 2.0)  # where ada signed in before
    gate.sign_in("tom", "10.0.200.1", 2.0)  # another account


def test_sign_ups_have_a_bound_of_their_own() -> None:
    gate = EntranceThrottle()
    for _ in range(throttle.SIGN_UP_BURST):
        gate.sign_up("192.0.2.1", 0.0)
    with pytest.raises(RateLimited, match="try again in 6 seconds"):
        gate.sign_up("192.0.2.1", 0.0)
    gate.sign_up("192.0.2.2", 0.0)
    gate.sign_up("192.0.2.1", 7.0)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2:a::1", "2001:db8:1:2:b::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("testclient", "testclient", True),
    ],
)
def test_a_network_counts_as_one_address(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 10)), max_size=60), st.integers(1, 5))
def test_a_bucket_never_gives_more_than_its_burst_and_rate(steps: list[tuple[str, float]], burst: int) -> None:
    limiter, now_s, taken = RateLimiter(burst, 60.0, max_keys=10), 0.0, dict.fromkeys("abc", 0)
    for key, step_s in steps:
        now_s += step_s
        if limiter.wait_s(key, now_s) == 0:
            limiter.take(key, now_s)
            taken[key] += 1
    assert all(count <= burst + now_s + 1e-6 for count in taken.values())


def test_forgotten_keys_bound_the_memory() -> None:
    limiter = RateLimiter(1, 1.0, max_keys=100)
    for number in range(1000):
        limiter.take(str(number), 0.0)
    assert len(limiter._buckets) == 100
    assert limiter.wait_s("999", 0.0) > 0
    assert limiter.wait_s("0", 0.0) == 0


class BlockedHasher:
    """Hashes when it is told to."""

    def __init__(self) -> None:
        self.go, self.at_work, self.most = threading.Event(), 0, 0
        self._lock = threading.Lock()
        self.go.set()

    def hash(self, code: str) -> str:
        with self._lock:
            self.at_work += 1
            self.most = max(self.most, self.at_work)
        self.go.wait(10)
        with self._lock:
            self.at_work -= 1
        return f"hash of {code}"

    def matches(self, stored: str, code: str) -> bool:
        return self.hash(code) == stored


def test_hashes_take_turns_and_the_queue_is_bounded() -> None:
    hasher = BlockedHasher()
    hashing = PassphraseHashing(hasher)
    hasher.go.clear()
    waiting = [threading.Thread(target=hashing.hash, args=(str(n),)) for n in range(AT_ONCE + WAITING)]
    for thread in waiting:
        thread.start()
    refused = threading.Event()

    def try_until_refused() -> None:
        while True:
            try:
                hashing.hash("one more")
            except RetryLater:
                refused.set()
                return

    extra = [threading.Thread(target=try_until_refused) for _ in range(2)]
    for thread in extra:
        thread.start()
    assert refused.wait(10)
    hasher.go.set()
    for thread in waiting:
        thread.join(10)
    assert hasher.most <= AT_ONCE
    assert hashing.matches("hash of ada", "ada")
    assert not hashing.matches(None, "nobody has this passphrase")


@pytest.mark.parametrize("passphrase", ["correct horse battery", "älter werden dürfen", "日本語の長い合言葉です。はい"])
def test_good_passphrases(passphrase: str) -> None:
    assert checked_passphrase(passphrase, "ada") == passphrase


@pytest.mark.parametrize(
    "passphrase",
    ["short", "123456789012", "passwordpassword", "ada-lovelace-1", "aaaaaaaaaaaaa", "x" * 201, "qwertz123456"],
)
def test_bad_passphrases(passphrase: str) -> None:
    with pytest.raises(Refused):
        checked_passphrase(passphrase, "ada-lovelace")
