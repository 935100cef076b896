"""The overlay for a video stream."""
