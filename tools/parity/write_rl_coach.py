"""Writes the same cases as write_frozen.py with rl_coach's own graph builder, as an independent reference.

    python tools/parity/write_rl_coach.py --out FOLDER [--shrink N] [--only NAME]

Needs TensorFlow 1.15 and `rl-coach-slim` (Apache-2.0) in an environment of its own (README.md). The network is the one
that the simulation application asks rl_coach for; the policy alone is frozen, as its write_frozen_graph does. Two
things are not in the public rl_coach: a continuous head's output is named `policy` here (the application freezes that
name), and the application has a SAC head of its own, so that case's head is rl_coach's older one.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib

import numpy as np
import tensorflow as tf
from cases import (
    CAMERA,
    CASES,
    LIDAR_NETWORK,
    LIDARS,
    MIDDLEWARE,
    OLDER,
    SHALLOW,
    STEREO,
    STEREO_DEEP,
    is_older,
    metadata,
    pictures,
    shape_of,
)
from rl_coach.agents.clipped_ppo_agent import ClippedPPOAgentParameters
from rl_coach.agents.soft_actor_critic_agent import SoftActorCriticAgentParameters
from rl_coach.architectures.embedder_parameters import InputEmbedderParameters
from rl_coach.architectures.layers import Conv2d, Dense
from rl_coach.architectures.middleware_parameters import FCMiddlewareParameters
from rl_coach.architectures.tensorflow_components.general_network import GeneralTensorFlowNetwork
from rl_coach.architectures.tensorflow_components.layers import BatchnormActivationDropout
from rl_coach.base_parameters import TaskParameters
from rl_coach.spaces import (
    BoxActionSpace,
    DiscreteActionSpace,
    PlanarMapsObservationSpace,
    RewardSpace,
    SpacesDefinition,
    StateSpace,
    VectorObservationSpace,
)

SEEDS = {"stereo-deep": 6}  # of the weights: a narrow network may ignore its input by chance, and then proves nothing
HEADS = {
    "clipped_ppo": ("main", "main_level/agent/main/online/network_1/ppo_head_0/"),
    "sac": ("policy", "main_level/agent/policy/online/network_0/sac_policy_head_0/"),
}


def embedder(sensor, network, older, shrink):
    """The scheme of markov's create_scheme; with `older`, of its create_batchnorm_scheme."""
    if sensor in LIDARS:
        convs, units, activation, normalised, dropped = LIDAR_NETWORK
    elif sensor == STEREO and network != SHALLOW:
        convs, units, activation, normalised, dropped = STEREO_DEEP
    else:
        convs, units, activation, normalised, dropped = (OLDER if older else CAMERA)[network]
    scheme = []
    for filters, kernel, stride in convs:
        scheme.append(Conv2d(max(2, filters // shrink), kernel, stride))
        if older:
            scheme.append(BatchnormActivationDropout(normalised, activation, 0.0))
    for width in units:
        scheme.append(Dense(max(2, width // shrink)))
        if older:
            scheme.append(BatchnormActivationDropout(False, activation, dropped))
    return InputEmbedderParameters(scheme=scheme, activation_function="none" if older else activation)


def observed(sensor):
    """The observation space of a sensor."""
    shape = shape_of(sensor)
    return VectorObservationSpace(shape[0]) if len(shape) == 1 else PlanarMapsObservationSpace(np.array(shape), 0, 255)


def parameters(name, case, shrink):
    """The agent's parameters as the simulation application sets them."""
    sensors, network, algorithm, _ = case
    agent = (ClippedPPOAgentParameters if algorithm == "clipped_ppo" else SoftActorCriticAgentParameters)()
    agent.name, agent.full_name_id = "agent", "main_level/agent"
    agent.task_parameters = TaskParameters()
    agent.task_parameters.task_index, agent.task_parameters.seed = 0, 1
    agent.visualization.tensorboard = False
    wrapper = agent.network_wrappers[HEADS[algorithm][0]]
    wrapper.input_embedders_parameters = {
        sensor: embedder(sensor, network, is_older(name), shrink) for sensor in sensors
    }
    middle = [Dense(max(2, width // shrink)) for width in MIDDLEWARE[network]]
    wrapper.middleware_parameters = FCMiddlewareParameters(scheme=middle, activation_function="relu")
    return agent


def write(name, case, out, shrink):
    """Write one case into `out`: graph, metadata and answers."""
    sensors, network, algorithm, kind = case
    actions = 2 if kind == "continuous" else 5
    wrapper, head = HEADS[algorithm]
    bounds = np.ones(2)
    spaces = SpacesDefinition(
        state=StateSpace({sensor: observed(sensor) for sensor in sensors}),
        goal=None,
        action=DiscreteActionSpace(5) if kind == "discrete" else BoxActionSpace(2, -bounds, bounds),
        reward=RewardSpace(1),
    )
    GeneralTensorFlowNetwork.variable_scopes_dict.clear()
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        GeneralTensorFlowNetwork.construct(
            "main_level/agent/" + wrapper,
            ["/cpu:0"],
            agent_parameters=parameters(name, case, shrink),
            spaces=spaces,
            name=wrapper + "/online",
            network_is_local=True,
            network_is_trainable=True,
        )
        if kind == "continuous":
            mean = "policy_mean:0" if algorithm == "sac" else "policy_mean/BiasAdd:0"
            tf.identity(graph.get_tensor_by_name(head + mean), name=head + "policy")
        session.run([tf.compat.v1.global_variables_initializer(), tf.compat.v1.local_variables_initializer()])
        scatter(session, SEEDS.get(name, 4))
        frozen = tf.compat.v1.graph_util.convert_variables_to_constants(session, session.graph_def, [head + "policy"])
        scope = head[: head.index("/network_")] + "/network_0/"
        feed = {
            graph.get_tensor_by_name(scope + sensor + "/" + sensor + ":0"): pictures(sensor, seed)
            for seed, sensor in enumerate(sorted(sensors))
        }
        answers = session.run(graph.get_tensor_by_name(head + "policy:0"), feed)
    (out / (name + ".pb")).write_bytes(frozen.SerializeToString(deterministic=True))
    (out / (name + ".json")).write_text(
        json.dumps(metadata(sensors, network, algorithm, kind, actions), indent=1) + "\n"
    )
    np.save(str(out / (name + ".npy")), answers)
    print(f"{name:20} {frozen.ByteSize():8} bytes  {' '.join(sorted({node.op for node in frozen.node}))}", flush=True)


def scatter(session, seed):
    """Set weights unlike a new network's: biases other than 0, statistics other than 0 and 1, large weights."""
    random = np.random.RandomState(seed)
    for variable in tf.compat.v1.global_variables():
        name = variable.name
        if "Adam" in name or "/online/network_" not in name:
            continue
        if len(variable.shape) == 1:
            spread = "gamma" in name or "variance" in name
            values = random.uniform(0.5, 1.5, variable.shape) if spread else random.normal(0, 0.2, variable.shape)
            variable.load(values, session)
        elif len(variable.shape) > 1:
            gain = 200.0 if "policy_fc" in name else 3.0
            deviation = np.sqrt(gain / np.prod(variable.shape.as_list()[:-1]))
            variable.load(random.normal(0, deviation, variable.shape), session)


def main():
    """Write the requested cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--shrink", type=int, default=64, help="divisor of the widths; 1: the real widths")
    parser.add_argument("--only", metavar="NAME", action="append", help="only these cases")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.only or sorted(CASES):
        write(name, CASES[name], arguments.out, arguments.shrink)


if __name__ == "__main__":
    main()
