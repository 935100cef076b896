"""When a wire may be called connected, and when it is given up."""

from shared.link.liveness import SHORT_CONNECTIONS, Liveness


def test_connected_means_heard_from_lately() -> None:
    life = Liveness(2.0)
    life.on_connecting(0.0)
    assert not life.connected(0.0)
    assert not life.timed_out(1.9)
    assert life.timed_out(2.1)
    life.on_connected(1.0, "Connected.")
    assert life.connected(4.0)
    assert not life.connected(4.1)
    assert life.status_sentence(5.0, "car-1") == "The broker has been silent for 4 s."
    assert not life.timed_out(7.0)
    assert life.timed_out(7.1)
    life.received_at_s = 7.0
    assert life.status_sentence(7.0, "car-1") == "Connected."


def test_a_connection_that_lived_resets_and_short_lives_are_told() -> None:
    life = Liveness(2.0)
    for start in range(SHORT_CONNECTIONS):
        life.on_connecting(float(start))
        life.on_connected(float(start), "Connected.")
        assert not life.on_disconnected(start + 0.5)
    assert "does another machine use the name 'car-1'?" in life.status_sentence(9.0, "car-1")
    life.on_connected(10.0, "Connected.")
    assert "another machine" in life.status_sentence(11.0, "car-1")
    life.received_at_s = 15.5
    assert life.status_sentence(15.5, "car-1") == "Connected."
    assert life.on_disconnected(16.0)
    assert life.short_connections == 0


def test_a_broker_that_was_never_reached_is_no_short_life() -> None:
    life = Liveness(2.0)
    for start in range(9):
        life.on_connecting(float(start))
        assert not life.on_disconnected(start + 1.0)
    assert life.status_sentence(9.0, "car-1") == "Not started."
