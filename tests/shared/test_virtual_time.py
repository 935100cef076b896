"""The event queue of virtual time: order, pauses, and running up to a time."""

from collections.abc import Callable, Iterator

from shared.virtual_time import VirtualTime


def test_events_run_in_order_and_of_one_instant_as_planned() -> None:
    virtual_time, events = VirtualTime(), list[tuple[int, str]]()

    def record(word: str) -> Callable[[], None]:
        return lambda: events.append((virtual_time.now_ns, word))

    for at_ns, word in ((20, "c"), (10, "a"), (10, "b"), (5, "z")):
        virtual_time.at(at_ns, record(word))
    while virtual_time.next_at_ns is not None:
        virtual_time.run_next()
    assert events == [(5, "z"), (10, "a"), (10, "b"), (20, "c")]


def test_a_story_goes_on_after_its_pauses() -> None:
    virtual_time, events = VirtualTime(), []

    def story() -> Iterator[int]:
        events.append(virtual_time.now_ns)
        yield 7
        events.append(virtual_time.now_ns)
        yield 5
        events.append(virtual_time.now_ns)

    virtual_time.follow(story())
    while virtual_time.next_at_ns is not None:
        virtual_time.run_next()
    assert events == [0, 7, 12]


def test_run_until_runs_what_is_due_with_what_that_plans_and_no_more() -> None:
    virtual_time, events = VirtualTime(), []
    virtual_time.at(10, lambda: virtual_time.after(0, lambda: events.append(virtual_time.now_ns)))
    virtual_time.at(21, lambda: events.append(virtual_time.now_ns))
    virtual_time.run_until(20)
    assert (events, virtual_time.now_ns, virtual_time.next_at_ns) == ([10], 20, 21)


def test_the_past_is_now() -> None:
    virtual_time, events = VirtualTime(), []
    virtual_time.run_until(50)
    virtual_time.at(20, lambda: events.append(virtual_time.now_ns))
    virtual_time.run_until(30)
    assert (events, virtual_time.now_ns) == ([], 50)
    virtual_time.run_next()
    assert events == [50]
