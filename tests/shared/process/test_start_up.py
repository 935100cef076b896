"""What a start makes is left out of every later search for garbage."""

import gc

from shared.process.start_up import without_collecting


def test_a_start_is_not_searched_while_it_runs_nor_later() -> None:
    assert gc.isenabled()
    try:
        with without_collecting():
            assert not gc.isenabled()
            made = [[number] for number in range(10)]
        assert gc.isenabled()
        searched = {id(each) for each in gc.get_objects()}  # the frozen ones are not among them
        assert not searched & {id(each) for each in made}
    finally:
        gc.unfreeze()


def test_the_search_stays_off_if_it_was_off_before() -> None:
    gc.disable()
    try:
        with without_collecting():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
