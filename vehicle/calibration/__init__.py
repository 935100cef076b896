"""The calibration file of a car, and the wizard that writes it from a terminal."""
