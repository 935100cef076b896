"""Looks: known tracks as they are, others the same every time, random ones wide enough for training."""

from dataclasses import replace

from simulator.world.floor_masks import FloorGeometry
from simulator.world.floor_texture import Appearance
from simulator.world.looks import ARCTIC_PRO, REINVENT_BASE, draw_appearance, look_of

FLOORS = [draw_appearance(seed) for seed in range(200)]


def test_floors_differ_by_seed_and_the_road_stays_darker_than_its_lines() -> None:
    assert draw_appearance(3) == draw_appearance(3)
    assert len(set(FLOORS)) == 200
    for floor in FLOORS:
        assert max(floor.road) + 60 < min(floor.line)


def test_without_spread_it_is_the_public_simulators_floor() -> None:
    floor, plain = draw_appearance(5, spread=0.0), Appearance()
    assert floor.geometry == replace(FloorGeometry(), start_line_m=0.0)
    assert (floor.field, floor.road, floor.line, floor.dash) == (plain.field, plain.road, plain.line, plain.dash)
    assert floor.blotches == 0.0


def test_random_floors_span_the_public_simulator_and_other_peoples() -> None:
    drawn = [floor.geometry for floor in FLOORS]
    assert min(g.line_inside for g in drawn) < 0.55
    assert max(g.line_inside for g in drawn) > 0.95
    assert min(g.line_width_m for g in drawn) < 0.05
    assert max(g.line_width_m for g in drawn) > 0.076
    assert min(g.dash_m for g in drawn) < 0.055
    assert max(g.dash_m for g in drawn) > 0.19
    assert {g.start_line_m for g in drawn} == {0.0}
    with_lines = [draw_appearance(seed, start_lines=0.5).geometry.start_line_m > 0.0 for seed in range(100)]
    assert 30 < sum(with_lines) < 70
    walls = [floor.surroundings.wall_height_m > 0.0 for floor in FLOORS]
    assert 50 < sum(walls) < 150
    roads = [sum(floor.road) / 3 for floor in FLOORS]
    assert max(roads) - min(roads) > 40


def test_known_tracks_look_as_they_are_in_either_direction() -> None:
    assert look_of("reinvent_base") == look_of("reinvent_base_reversed") == REINVENT_BASE
    assert look_of("arctic_pro_ccw") == ARCTIC_PRO
    assert ARCTIC_PRO.road == (59, 60, 61)


def test_another_track_has_a_look_of_its_own() -> None:
    names = [f"somewhere_{n}" for n in range(50)]
    assert [look_of(name) for name in names] == [look_of(name) for name in names]
    assert look_of("somewhere_1") == look_of("somewhere_1_cw")
    assert len({look_of(name) for name in names}) == 50
    for name in names:
        assert look_of(name).geometry == FloorGeometry(start_line_at_m=0.126)
        assert max(look_of(name).road) + 60 < min(look_of(name).line)
