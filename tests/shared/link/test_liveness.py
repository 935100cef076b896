"""When a wire may be called connected, and when it is given up."""

from shared.link.liveness import SHORT_LIVES, Liveness


def test_connected_means_heard_from_lately() -> None:
    life = Liveness(2.0)
    life.dialled(0.0)
    assert not life.connected(0.0)
    assert not life.given_up(1.9)
    assert life.given_up(2.1)
    life.greeted(1.0, "Connected.")
    assert life.connected(4.0)
    assert not life.connected(4.1)
    assert life.told(5.0, "car-1") == "The broker has been silent for 4 s."
    assert not life.given_up(7.0)
    assert life.given_up(7.1)
    life.heard_at_s = 7.0
    assert life.told(7.0, "car-1") == "Connected."


def test_a_connection_that_lived_resets_and_short_lives_are_told() -> None:
    life = Liveness(2.0)
    for start in range(SHORT_LIVES):
        life.dialled(float(start))
        life.greeted(float(start), "Connected.")
        assert not life.ended(start + 0.5)
    assert "does another machine use the name 'car-1'?" in life.told(9.0, "car-1")
    life.greeted(10.0, "Connected.")
    assert "another machine" in life.told(11.0, "car-1")
    life.heard_at_s = 15.5
    assert life.told(15.5, "car-1") == "Connected."
    assert life.ended(16.0)
    assert life.short_lives == 0


def test_a_broker_that_was_never_reached_is_no_short_life() -> None:
    life = Liveness(2.0)
    for start in range(9):
        life.dialled(float(start))
        assert not life.ended(start + 1.0)
    assert life.told(9.0, "car-1") == "Not started."
