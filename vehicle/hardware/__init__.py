"""What the car is made of: cameras and motors, each driver a file beside its siblings."""
