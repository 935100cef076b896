"""Gymnasium environments of races; importing this package registers them (docs/train-a-model.md)."""

from simulator.env.registration import register_environments

register_environments()
