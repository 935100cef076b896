"""The messages between machines: MQTT topics and messages, results, and their canonical bytes."""
