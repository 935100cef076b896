"""The mock world itself, without a clock: track, car, camera, beams."""
