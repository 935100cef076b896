"""The black box: frames from the pilot, words from the guard, and the recordings that comms makes of them."""
