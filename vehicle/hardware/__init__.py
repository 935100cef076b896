"""Drivers of the car's hardware: cameras, motors and the emergency button, one file each."""
