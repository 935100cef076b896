"""A recipe: all that a training is made of, in one TOML file; those that ship with Raceday are in `recipes/`.

Racers copy one, change it and give the copy to `raceday model train --recipe FILE`.
"""

from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from shared.config import load, parse, setting
from shared.errors import BadInput, ConfigError
from simulator.objects.placing import MAX_OBJECTS
from simulator.world.cars.profiles import PHYSICAL

SHIPPED = ("ppo", "ppo-continuous", "dagger", "dagger-boxes", "dagger+ppo")
IMITATION, REINFORCEMENT = "dagger", "ppo"
METHODS = (IMITATION, REINFORCEMENT, f"{IMITATION}+{REINFORCEMENT}")
TIME_TRIAL, OBJECT_AVOIDANCE = "time_trial", "object_avoidance"
POLICY_SIZE = (160, 120)  # width and height of what a car's network is given


@dataclass(frozen=True, slots=True)
class RaceRecipe:
    """What the model is to drive."""

    type: str = setting(TIME_TRIAL, choices=(TIME_TRIAL, OBJECT_AVOIDANCE), what="alone, or round boxes")
    boxes: int = setting(3, min=1, max=MAX_OBJECTS, what="boxes on the track in object avoidance")


@dataclass(frozen=True, slots=True)
class CarsRecipe:
    """The cars that learn, side by side. `start`, `laps` and `max_episode_steps` are those of reinforcement."""

    count: int = setting(32, min=1, max=1024, what="how many drive at once")
    profile: str = setting(PHYSICAL, what="which car")
    throttle_percent: float = setting(50.0, min=1.0, max=100.0, what="the throttle set on the physical car")
    randomise: int = setting(1, min=0, max=2, what="how much varies: 0 nothing, 1 as at races, 2 more")
    start: str = setting("anywhere", choices=("line", "anywhere"), what="where an episode starts")
    laps: int = setting(5, min=1, max=100, what="laps of an episode")
    max_episode_steps: int = setting(300, min=15, max=100_000, what="frames of an episode, 15 a second")


@dataclass(frozen=True, slots=True)
class ActionsRecipe:
    """Discrete: each angle at each speed. Continuous: from the lowest to the highest. `--actions FILE` gives others."""

    type: str = setting("discrete", choices=("discrete", "continuous"), what="rows to choose from, or two ranges")
    angles_deg: tuple[float, ...] = (-30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0)
    speeds_mps: tuple[float, ...] = (1.0,)
    fast_up_to_deg: float = setting(90.0, min=0.0, max=90.0, what="larger angles only at the first speed")

    def __post_init__(self) -> None:
        if not self.angles_deg or not self.speeds_mps:
            raise ConfigError("actions have at least one of angles_deg and one of speeds_mps.")
        if max(map(abs, self.angles_deg)) > 90.0 or not 0.0 < min(self.speeds_mps) <= max(self.speeds_mps) <= 20.0:
            raise ConfigError("angles_deg of actions are -90 to 90, speeds_mps above 0 and at most 20.")
        even = min(self.angles_deg) == max(self.angles_deg) or min(self.speeds_mps) == max(self.speeds_mps)
        if self.type == "continuous" and (even or max(self.angles_deg) <= 0.0):
            raise ConfigError("continuous actions need a lowest and a highest angle and speed, the highest above 0.")

    def metadata(self) -> dict[str, Any]:
        """The `model_metadata.json` of the model."""
        return {
            "action_space": self._ranges() if self.type == "continuous" else self._rows(),
            "sensor": ["FRONT_FACING_CAMERA"],
            "neural_network": "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW",
            "training_algorithm": "clipped_ppo",
            "action_space_type": self.type,
            "version": "5",
        }

    def _ranges(self) -> dict[str, dict[str, float]]:
        axes = {"steering_angle": self.angles_deg, "speed": self.speeds_mps}
        return {name: {"low": min(values), "high": max(values)} for name, values in axes.items()}

    def _rows(self) -> list[dict[str, float]]:
        rows = [
            (angle, speed)
            for place, speed in enumerate(self.speeds_mps)
            for angle in self.angles_deg
            if place == 0 or abs(angle) <= self.fast_up_to_deg
        ]
        return [{"steering_angle": angle, "speed": speed, "index": index} for index, (angle, speed) in enumerate(rows)]


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
class ImitationRecipe:
    """Imitation of an expert that sees the state, with dataset aggregation (Ross et al. 2011).

    In each round the cars drive anew, more and more by the model's own answers, and the expert labels every frame.
    """

    rounds: int = setting(8, min=1, max=1000, what="rounds of drives")
    steps: int = setting(420, min=1, max=100_000, what="gradient steps of a round")
    batch_frames: int = setting(256, min=2, max=100_000, what="frames of one gradient step")
    frames_a_car: int = setting(200, min=1, max=100_000, what="frames of each car in a round; twice in the first")
    first_rate: float = setting(1.5e-3, min=1e-8, max=1.0, what="learning rate at the start")
    last_rate: float = setting(2e-5, min=0.0, max=1.0, what="learning rate at the end")
    shipped_roads: bool = setting(False, what="drive on the tracks that ship with Raceday as well")
    both_ways: bool = setting(True, what="drive each track the other way round as well")
    random_roads: int = setting(0, min=0, max=10_000, what="roads that are drawn, so that it learns roads in general")
    other_profiles: float = setting(0.3, min=0.0, max=1.0, what="share of the cars that are of other profiles")
    covered: bool = setting(True, what="cover parts of some pictures")

    def frames(self, cars: int) -> int:
        """All frames that `cars` cars drive."""
        return cars * self.frames_a_car * (self.rounds + 1)


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
    spread: float = setting(0.5, min=0.01, max=2.0, what="how far continuous actions are tried out around the answer")
    value_updates: int = setting(0, min=0, max=10_000, what="updates that only learn what places are worth, at first")


@dataclass(frozen=True, slots=True)
class CheckpointsRecipe:
    """Every so often the model is kept and driven on roads that rankings never use; the best one is shipped."""

    every_steps: int = setting(20_000, min=1, max=1_000_000_000, what="frames between two checkpoints")
    cars: int = setting(8, min=1, max=256, what="cars that drive each of them, each with a seed of its own")
    laps: int = setting(2, min=1, max=20, what="laps that each of them drives")


@dataclass(frozen=True, slots=True)
class Recipe:
    """The whole file."""

    method: str = setting(REINFORCEMENT, choices=METHODS, what="imitation, reinforcement, or one after the other")
    seed: int = setting(1, min=0, max=900_000_000, what="of the network, the drives and the learning")
    race: RaceRecipe = field(default_factory=RaceRecipe)
    cars: CarsRecipe = field(default_factory=CarsRecipe)
    actions: ActionsRecipe = field(default_factory=ActionsRecipe)
    network: NetworkRecipe = field(default_factory=NetworkRecipe)
    imitation: ImitationRecipe = field(default_factory=ImitationRecipe)
    learning: LearningRecipe = field(default_factory=LearningRecipe)
    checkpoints: CheckpointsRecipe = field(default_factory=CheckpointsRecipe)

    @property
    def imitates(self) -> bool:
        """True if it begins with imitation."""
        return self.method.startswith(IMITATION)

    @property
    def reinforces(self) -> bool:
        """True if it ends with reinforcement."""
        return self.method.endswith(REINFORCEMENT)

    @property
    def boxes(self) -> int:
        """How many boxes stand on the track."""
        return self.race.boxes if self.race.type == OBJECT_AVOIDANCE else 0

    @property
    def frames(self) -> int:
        """How many frames all cars together drive, from the beginning to the end."""
        first = self.imitation.frames(self.cars.count) if self.imitates else 0
        return first + (self.learning.steps if self.reinforces else 0)

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
        raise BadInput(f"There is no recipe called '{name}': choose {', '.join(SHIPPED)}, or give a .toml file.")
    return load(path, Recipe)
