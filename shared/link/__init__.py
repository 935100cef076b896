"""MQTT between the machines: the link to a real broker, and its mock."""
