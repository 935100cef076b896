"""The comms process: MQTT, lap outbox, and the services beside it."""
