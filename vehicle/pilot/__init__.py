"""The pilot process: newest frame in, setpoint out."""
