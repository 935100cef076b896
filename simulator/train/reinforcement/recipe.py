"""A recipe: all that a training by reinforcement is made of, in one TOML file; `recipes/ppo.toml` is the shipped one.

Racers copy it, change it and give the copy to `raceday model train --recipe FILE`.
"""

from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from shared.config import load, parse, setting
from shared.errors import BadInput, ConfigError
from simulator.world.cars.profiles import PHYSICAL

SHIPPED = ("ppo",)
POLICY_SIZE = (160, 120)  # width and height of what a car's network is given


@dataclass(frozen=True, slots=True)
class CarsRecipe:
    """The cars that learn, side by side."""

    count: int = setting(32, min=1, max=1024, what="how many drive at once")
    profile: str = setting(PHYSICAL, what="which car")
    throttle_percent: float = setting(50.0, min=1.0, max=100.0, what="the throttle set on the physical car")
    randomise: int = setting(1, min=0, max=2, what="how much varies: 0 nothing, 1 as at races, 2 more")
    start: str = setting("anywhere", choices=("line", "anywhere"), what="where an episode starts")
    laps: int = setting(5, min=1, max=100, what="laps of an episode")
    max_episode_steps: int = setting(300, min=15, max=100_000, what="frames of an episode, 15 a second")


@dataclass(frozen=True, slots=True)
class ActionsRecipe:
    """The discrete actions: each angle at each speed. `--actions FILE` gives others."""

    angles_deg: tuple[float, ...] = (-30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0)
    speeds_mps: tuple[float, ...] = (1.0,)

    def metadata(self) -> dict[str, Any]:
        """The `model_metadata.json` of the model."""
        rows = [(angle, speed) for speed in self.speeds_mps for angle in self.angles_deg]
        return {
            "action_space": [
                {"steering_angle": angle, "speed": speed, "index": index} for index, (angle, speed) in enumerate(rows)
            ],
            "sensor": ["FRONT_FACING_CAMERA"],
            "neural_network": "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW",
            "training_algorithm": "clipped_ppo",
            "action_space_type": "discrete",
            "version": "5",
        }


@dataclass(frozen=True, slots=True)
class NetworkRecipe:
    """Convolutions, then one dense layer. It sees the car's picture, made smaller `shrink` times in each direction."""

    shrink: int = setting(2, min=1, max=4, what="how many times smaller than 160x120 its picture is")
    filters: tuple[int, ...] = (16, 32, 32)
    kernels: tuple[int, ...] = (8, 4, 3)
    strides: tuple[int, ...] = (4, 2, 1)
    dense: int = setting(128, min=1, max=4096, what="width of the dense layer")

    def __post_init__(self) -> None:
        lengths = {len(self.filters), len(self.kernels), len(self.strides)}
        if len(lengths) != 1 or not self.filters:
            raise ConfigError("a network has as many filters as kernels and strides, and at least one.")
        if min(*self.filters, *self.kernels, *self.strides) < 1 or max(*self.filters, *self.kernels) > 512:
            raise ConfigError("filters, kernels and strides of a network are whole numbers from 1 to 512.")
        if any(POLICY_SIZE[side] % self.shrink for side in (0, 1)):
            raise ConfigError(f"the picture of 160 x 120 cannot be made {self.shrink} times smaller evenly.")
        if min(self.shape_after()) < 1:
            raise ConfigError("the network's kernels are larger than what is left of the picture.")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture that the convolutions see."""
        return POLICY_SIZE[0] // self.shrink, POLICY_SIZE[1] // self.shrink

    def shape_after(self) -> tuple[int, int]:
        """Height and width after the last convolution."""
        width, height = self.size
        for kernel, stride in zip(self.kernels, self.strides, strict=True):
            height, width = (height - kernel) // stride + 1, (width - kernel) // stride + 1
            if min(height, width) < 1:
                return 0, 0
        return height, width


@dataclass(frozen=True, slots=True)
class LearningRecipe:
    """Proximal policy optimisation (Schulman et al. 2017), as Stable-Baselines3 does it."""

    steps: int = setting(100_000, min=1, max=1_000_000_000, what="frames of all cars together")
    steps_a_car: int = setting(64, min=2, max=100_000, what="frames of each car between two updates")
    batch_frames: int = setting(256, min=2, max=1_000_000, what="frames of one gradient step")
    epochs: int = setting(4, min=1, max=100, what="how often each frame is learned from")
    first_rate: float = setting(1e-3, min=1e-8, max=1.0, what="learning rate at the start")
    last_rate: float = setting(1e-4, min=0.0, max=1.0, what="learning rate at the end")
    discount: float = setting(0.97, min=0.0, max=1.0, what="what a reward one frame later is worth (gamma)")
    gae_lambda: float = setting(0.9, min=0.0, max=1.0, what="how far advantages look ahead")
    entropy: float = setting(0.01, min=0.0, max=10.0, what="how much trying out is rewarded")
    clip: float = setting(0.2, min=0.01, max=1.0, what="how far an update may move the policy")


@dataclass(frozen=True, slots=True)
class CheckpointsRecipe:
    """Every so often the model is kept and driven on roads that rankings never use; the best one is shipped."""

    every_steps: int = setting(20_000, min=1, max=1_000_000_000, what="frames between two checkpoints")
    cars: int = setting(8, min=1, max=256, what="cars that drive each of them, each with a seed of its own")
    laps: int = setting(2, min=1, max=20, what="laps that each of them drives")


@dataclass(frozen=True, slots=True)
class Recipe:
    """The whole file."""

    seed: int = setting(1, min=0, max=1 << 30, what="of the network, the drives and the learning")
    cars: CarsRecipe = field(default_factory=CarsRecipe)
    actions: ActionsRecipe = field(default_factory=ActionsRecipe)
    network: NetworkRecipe = field(default_factory=NetworkRecipe)
    learning: LearningRecipe = field(default_factory=LearningRecipe)
    checkpoints: CheckpointsRecipe = field(default_factory=CheckpointsRecipe)

    def as_dict(self) -> dict[str, Any]:
        """All values, for the files beside a model."""
        return asdict(self)


def load_recipe(name: str) -> Recipe:
    """The shipped recipe of that name, or the one in that TOML file. Raises OperatorError, one sentence."""
    if name in SHIPPED:
        text = (files("simulator.train") / "recipes" / f"{name}.toml").read_text(encoding="utf-8")
        return parse(text, Recipe, source=f"{name}.toml")
    path = Path(name)
    if path.suffix != ".toml":
        raise BadInput(
            f"There is no recipe called '{name}': choose {', '.join(SHIPPED)}, dagger, or give a .toml file."
        )
    return load(path, Recipe)
