"""Writes frozen DeepRacer graphs with the real TensorFlow, in the dialects that cars receive, and their answers.

    python tools/parity/write_frozen.py --dialect tf1|tf2v1|legacy|keras3 --out FOLDER [--every] [--full] [--archives]
        [--only NAME]

Names and structure are rl_coach's and the simulation application's (markov), node by node: write_rl_coach.py has the
same cases built by rl_coach itself, and a test compares the two. Weights are random. TensorFlow is large, so it has
its own environment (README.md): `tf1` needs TensorFlow 1.15 (Python 3.7, hence this file's plain style), the others
TensorFlow 2 with Keras 3, and `legacy` tf_keras beside it. Each case gives NAME.pb, NAME.json (metadata) and
NAME.npy: what TensorFlow answers, one row for each of `pictures`, which the tests draw again from the same seed; with
--archives NAME.tar.gz too, as the DeepRacer console exports it. check_frozen.py reads it all back.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pathlib
import tarfile

import numpy as np
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
    every,
    is_older,
    metadata,
    pictures,
    shape_of,
)

SEEDS = {"stereo-deep": 6}  # narrow networks may ignore their input by chance: such a case proves nothing


class Layers:
    """The layers of one dialect; `scale` shrinks their widths."""

    def __init__(self, tf, dialect, scale, is_training, seed):
        self.tf, self.v1, self.dialect, self.scale = tf, tf.compat.v1, dialect, scale
        self.is_training = is_training
        self.seeds = np.random.RandomState(seed)

    def width(self, full):
        """The width of a layer whose real width is `full`."""
        return full if self.scale is None else max(2, full // self.scale)

    def normal(self, deviation):
        """Random weights, different in each layer."""
        initializers = self.tf.keras.initializers if self.dialect == "keras3" else self.v1.keras.initializers
        kind = initializers.RandomNormal if self.dialect == "keras3" else self.v1.random_normal_initializer
        return kind(stddev=deviation, seed=int(self.seeds.randint(1 << 30)))

    def conv(self, x, filters, kernel, stride, name):
        """A convolution with a bias, unpadded."""
        fan_in = kernel * kernel * int(x.shape[-1])
        weights, bias = self.normal(np.sqrt(2.0 / fan_in)), self.normal(0.1)
        if self.dialect == "keras3":
            layer = self.tf.keras.layers.Conv2D(
                filters, kernel, stride, kernel_initializer=weights, bias_initializer=bias, name=name
            )
            return layer(x)
        if self.dialect == "tf2v1":
            with self.v1.variable_scope(name):
                k = self.v1.get_variable("kernel", [kernel, kernel, int(x.shape[-1]), filters], initializer=weights)
                b = self.v1.get_variable("bias", [filters], initializer=bias)
                return self.tf.nn.bias_add(self.tf.nn.conv2d(x, k, [1, stride, stride, 1], "VALID"), b)
        return self.v1.layers.conv2d(
            x, filters, kernel, stride, kernel_initializer=weights, bias_initializer=bias, name=name
        )

    def dense(self, x, units, name, gain=2.0):
        """A dense layer."""
        weights, bias = self.normal(np.sqrt(gain / int(x.shape[-1]))), self.normal(0.1)
        if self.dialect == "keras3":
            return self.tf.keras.layers.Dense(units, kernel_initializer=weights, bias_initializer=bias, name=name)(x)
        if self.dialect == "tf2v1":
            with self.v1.variable_scope(name or "dense"):
                k = self.v1.get_variable("kernel", [int(x.shape[-1]), units], initializer=weights)
                return self.tf.nn.bias_add(
                    self.tf.matmul(x, k), self.v1.get_variable("bias", [units], initializer=bias)
                )
        return self.v1.layers.dense(x, units, name=name, kernel_initializer=weights, bias_initializer=bias)

    def finish(self, x, activation, normalised, dropped, name):
        """Batch normalisation, activation, dropout: rl_coach's BatchnormActivationDropout."""
        if normalised:
            x = self.normalise(x, name + "_batchnorm")
        x = getattr(self.tf.nn, activation)(x, name=name + "_activation")
        if not dropped:
            return x
        if self.dialect == "keras3":
            return self.tf.keras.layers.Dropout(dropped, name=name + "_dropout")(x, training=False)
        if self.dialect == "tf2v1":
            return self.v1.cond(
                self.is_training, lambda: self.tf.nn.dropout(x, rate=dropped), lambda: self.tf.identity(x)
            )
        return self.v1.layers.dropout(x, dropped, name=name + "_dropout", training=self.is_training)

    def normalise(self, x, name):
        """Normalise with statistics that differ from a new layer's, so that a mistake is noticed."""
        if self.dialect == "keras3":
            uniform = self.tf.keras.initializers.RandomUniform
            layer = self.tf.keras.layers.BatchNormalization(
                moving_mean_initializer=self.normal(0.2),
                moving_variance_initializer=uniform(0.5, 1.5, seed=3),
                gamma_initializer=uniform(0.5, 1.5, seed=4),
                name=name,
            )
            return layer(x, training=False)
        uniform = self.v1.random_uniform_initializer
        start = {
            "moving_mean_initializer": self.normal(0.2),
            "moving_variance_initializer": uniform(0.5, 1.5, seed=3),
            "gamma_initializer": uniform(0.5, 1.5, seed=4),
        }
        if self.dialect == "tf2v1":
            with self.v1.variable_scope(name):
                shape, get = [int(x.shape[-1])], self.v1.get_variable
                parts = [get(key.split("_init")[0], shape, initializer=value) for key, value in sorted(start.items())]
                gamma, mean, variance = parts
                beta = get("beta", shape, initializer=self.normal(0.1))
                return self.v1.nn.fused_batch_norm(x, gamma, beta, mean, variance, 0.001, is_training=False)[0]
        # With a variable here, TensorFlow 2.21 freezes a StatelessIf whose functions it leaves out of the file.
        training = self.is_training if self.dialect == "tf1" else False
        return self.v1.layers.batch_normalization(x, name=name, training=training, **start)

    def flatten(self, x):
        """Flatten all axes but the batch."""
        if self.dialect == "tf1":
            return self.tf.contrib.layers.flatten(x)
        if self.dialect == "tf2v1":
            size = int(np.prod(x.shape[1:]))
            return self.tf.reshape(x, self.tf.stack([self.tf.shape(x)[0], size]))
        return self.tf.keras.layers.Flatten()(x)


def embed(layers, sensor, plan, given):
    """One input's embedder; returns (placeholder, embedding)."""
    v1 = layers.v1
    convs, units, activation, normalised, dropped = plan
    with v1.variable_scope(sensor):
        x = v1.placeholder("float", [None, *shape_of(sensor)], name=sensor) if given is None else given
        placeholder = x
        x = x / (1.0 if sensor in LIDARS else 255.0)
        x = x - 0.0
        number = 0
        for filters, kernel, stride in convs:
            x = layers.conv(x, layers.width(filters), kernel, stride, f"Conv2d_{number}")
            x = layers.finish(x, activation, normalised, 0.0, f"BatchnormActivationDropout_{number + 1}")
            number += 2
        # rl_coach puts dense layers on the last axis of the picture and flattens after them, tf.layers.dense style.
        for width in units:
            x = layers.flatten(x) if len(x.shape) > 2 and layers.dialect == "tf2v1" else x
            x = layers.dense(x, layers.width(width), f"Dense_{number}")
            x = layers.finish(x, activation, False, dropped, f"BatchnormActivationDropout_{number + 1}")
            number += 2
        return placeholder, layers.flatten(x)


def plan_of(sensor, network, older):
    """The layer parameters of a sensor's embedder."""
    if sensor in LIDARS:
        return LIDAR_NETWORK
    if sensor == STEREO and network != SHALLOW:
        return STEREO_DEEP
    return (OLDER if older else CAMERA)[network]


def rescaled(layers, streams):
    """rl_coach's general_network.py: between middleware and head, the gradients are scaled by r, the values are not."""
    tf, v1 = layers.tf, layers.v1
    rescaler = v1.get_variable("gradients_from_head_0-0_rescalers", initializer=1.0, dtype=tf.float32)
    return (1 - rescaler) * tf.stop_gradient(streams) + rescaler * streams


def head(layers, x, algorithm, actions):
    """The policy's head, its output named as the console exports it. `x` is a stack of one."""
    tf, v1 = layers.tf, layers.v1
    if algorithm == "sac":
        with v1.variable_scope("sac_policy_head_0"):
            x = tf.nn.relu(layers.dense(x[0], layers.width(256), None), name="dense/Relu")
            return tf.identity(layers.dense(x, actions, "policy_mean", gain=3.0), name="policy")
    with v1.variable_scope("ppo_head_0"):
        x = x[0]
        if actions == 2:
            return tf.identity(layers.dense(x, actions, "policy_mean", gain=3.0), name="policy")
        return tf.nn.softmax(layers.dense(x, actions, "policy_fc", gain=200.0), name="policy")


def network_of(layers, sensors, network, older, given):
    """Embedders, merger and middleware of one network; returns (placeholders, the middleware's streams)."""
    placeholders, embeddings = {}, []
    for sensor in sorted(sensors):
        placeholders[sensor], embedding = embed(layers, sensor, plan_of(sensor, network, older), given.get(sensor))
        embeddings.append(embedding)
    x = embeddings[0] if len(embeddings) == 1 else layers.tf.concat(embeddings, axis=-1, name="merger")
    with layers.v1.variable_scope("middleware_fc_embedder"):
        for number, width in enumerate(MIDDLEWARE[network]):
            x = layers.dense(x, layers.width(width), f"Dense_{2 * number}")
            x = layers.finish(x, "relu", False, 0.0, f"BatchnormActivationDropout_{2 * number + 1}")
    return placeholders, [x]


def write(tf, dialect, name, case, out, scale):
    """Write one case into `out`: graph, metadata and answers."""
    v1 = tf.compat.v1
    sensors, network, algorithm, kind = case
    actions = 2 if kind == "continuous" else 5
    v1.reset_default_graph()
    with v1.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(11)
        agent = "policy" if algorithm == "sac" else "main"
        with v1.variable_scope(f"main_level/agent/{agent}/online"):
            is_training = v1.Variable(False, trainable=False) if dialect != "keras3" else None
            layers = Layers(tf, dialect, scale, is_training, SEEDS.get(name, 7))
            with v1.variable_scope("network_0"):
                placeholders, streams = network_of(layers, sensors, network, is_older(name), {})
                head_input = rescaled(layers, streams)
                if algorithm == "sac":
                    policy = head(layers, head_input, algorithm, actions)
                else:
                    layers.dense(head_input[0], 1, "v_values")
            if algorithm != "sac":
                with v1.variable_scope("network_1"):
                    _, streams = network_of(layers, sensors, network, is_older(name), placeholders)
                    policy = head(layers, rescaled(layers, streams), algorithm, actions)
        if dialect == "keras3":
            session.run([v.initializer for v in v1.global_variables()])
        session.run(v1.global_variables_initializer())
        frozen = v1.graph_util.convert_variables_to_constants(session, session.graph_def, [policy.op.name])
        feed = {placeholders[s]: pictures(s, seed) for seed, s in enumerate(sorted(sensors))}
        answers = session.run(policy, feed)
    (out / (name + ".pb")).write_bytes(frozen.SerializeToString(deterministic=True))
    (out / (name + ".json")).write_text(
        json.dumps(metadata(sensors, network, algorithm, kind, actions), indent=1) + "\n"
    )
    np.save(str(out / (name + ".npy")), answers)
    ops = sorted({node.op for node in frozen.node} | {n.op for f in frozen.library.function for n in f.node_def})
    print(f"{dialect:8} {name:20} {frozen.ByteSize():8} bytes  {' '.join(ops)}", flush=True)


def archive(out, name):
    """The graph and its metadata as the console exports them."""
    with tarfile.open(str(out / (name + ".tar.gz")), "w:gz") as packed:
        packed.add(str(out / (name + ".json")), "model_metadata.json")
        packed.add(str(out / (name + ".pb")), "agent/model.pb")


def main():
    """Write the requested cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialect", choices=["tf1", "tf2v1", "legacy", "keras3"], required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--full", action="store_true", help="the real widths; otherwise an eighth or less")
    parser.add_argument("--shrink", type=int, default=64, help="divisor of the widths without --full")
    parser.add_argument("--every", action="store_true", help="every combination instead of the twelve stored ones")
    parser.add_argument("--only", metavar="NAME", action="append", help="only these cases")
    parser.add_argument("--archives", action="store_true", help="write each case as a tar.gz too")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if arguments.dialect == "legacy":
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
    tf = importlib.import_module("tensorflow")
    tf.compat.v1.disable_eager_execution()
    tf.compat.v1.disable_resource_variables()
    arguments.out.mkdir(parents=True, exist_ok=True)
    cases = every() if arguments.every else CASES
    for name in arguments.only or sorted(cases):
        write(tf, arguments.dialect, name, cases[name], arguments.out, None if arguments.full else arguments.shrink)
        if arguments.archives:
            archive(arguments.out, name)


if __name__ == "__main__":
    main()
