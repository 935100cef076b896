"""Recipes: the shipped one is the default, and a mistake in one is a sentence."""

import json
import pathlib
from importlib.resources import files

import pytest

from shared.errors import OperatorError
from simulator.train.recipe import SHIPPED, ActionsRecipe, NetworkRecipe, Recipe, load_recipe
from vehicle.core.actions import ActionRange, ActionSpace


def test_the_shipped_recipe_says_all_defaults(tmp_path: pathlib.Path) -> None:
    assert load_recipe("ppo") == Recipe()
    mine = tmp_path / "mine.toml"
    mine.write_text("seed = 7\n[cars]\ncount = 4\n[network]\nshrink = 1\nstrides = [6, 2, 1]\n", encoding="utf-8")
    read = load_recipe(str(mine))
    assert (read.seed, read.cars.count, read.network.size, read.learning) == (7, 4, (160, 120), Recipe().learning)


def test_the_shipped_recipes_say_what_they_do() -> None:
    shown = {name: load_recipe(name) for name in SHIPPED}
    assert {name: (each.method, each.boxes, each.actions.type) for name, each in shown.items()} == {
        "ppo": ("ppo", 0, "discrete"),
        "ppo-continuous": ("ppo", 0, "continuous"),
        "dagger": ("dagger", 0, "discrete"),
        "dagger-boxes": ("dagger", 3, "discrete"),
        "dagger+ppo": ("dagger+ppo", 0, "discrete"),
    }
    assert [each.frames for each in shown.values()][:1] == [100_000]
    both = shown["dagger+ppo"]
    assert both.frames == both.imitation.frames(both.cars.count) + both.learning.steps
    demo = json.loads((files("simulator") / "data" / "models" / "demo" / "model_metadata.json").read_text("utf-8"))
    assert shown["dagger"].actions.metadata() == demo


def test_the_car_reads_the_actions_as_meant() -> None:
    space = ActionSpace.parse_metadata(ActionsRecipe(angles_deg=(-20.0, 20.0), speeds_mps=(1.0, 2.0)).metadata())
    assert [(each.steering_deg, each.speed_mps) for each in space.choices] == [
        (-20.0, 1.0),
        (20.0, 1.0),
        (-20.0, 2.0),
        (20.0, 2.0),
    ]


def test_the_car_reads_continuous_actions_as_meant() -> None:
    recipe = ActionsRecipe("continuous", (-25.0, 30.0), (0.5, 2.0))
    space = ActionSpace.parse_metadata(recipe.metadata())
    assert (space.kind, space.angle_deg, space.speed_mps) == (
        "continuous",
        ActionRange(-25.0, 30.0),
        ActionRange(0.5, 2.0),
    )


def test_the_network_knows_what_is_left_of_the_picture() -> None:
    assert NetworkRecipe().size == (80, 60)
    assert NetworkRecipe().shape_after() == (4, 6)


BAD_RECIPES = [
    ("[cars]\nkount = 3\n", "unknown key `cars.kount`.*did you mean `count`"),
    ("[cars]\ncount = 0\n", "`cars.count` is 0; allowed is 1 to 1024"),
    ("[cars]\nstart = 'pit'\n", "allowed is line, anywhere"),
    ("[learning]\nfirst_rate = 'fast'\n", "must be a number"),
    ("[network]\nfilters = [16]\n", "as many filters as kernels and strides"),
    ("[network]\nkernels = [8, 40, 3]\n", "kernels are larger than what is left"),
    ("[network]\nshrink = 3\n", "cannot be made 3 times smaller evenly"),
    ("[network]\nstrides = [0, 1, 1]\n", "whole numbers from 1 to 512"),
    ("[actions]\nangles_deg = []\n", "at least one of angles_deg"),
    ("[actions]\nspeeds_mps = [0.0]\n", "speeds_mps above 0"),
    ("[actions]\ntype = 'continuous'\n", "need a lowest and a highest angle and speed"),
    ("[race]\nboxes = 7\n", "`race.boxes` is 7; allowed is 1 to 6"),
    ("[race]\ntype = 'head_to_bot'\n", "allowed is time_trial, object_avoidance"),
    ("method = 'a2c'\n", r"allowed is dagger, ppo, dagger\+ppo"),
    ("seed =\n", "is not TOML"),
]


@pytest.mark.parametrize(("written", "sentence"), BAD_RECIPES)
def test_a_recipe_that_is_wrong_is_refused(tmp_path: pathlib.Path, written: str, sentence: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(written, encoding="utf-8")
    with pytest.raises(OperatorError, match=sentence):
        load_recipe(str(path))


def test_a_recipe_that_is_absent_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OperatorError, match=r"no recipe called 'a2c': choose ppo, .*dagger\+ppo, or give a .toml"):
        load_recipe("a2c")
    with pytest.raises(OperatorError, match="no such config file"):
        load_recipe(str(tmp_path / "absent.toml"))
