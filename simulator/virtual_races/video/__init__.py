"""A run as a video: what the car saw, drawn again from its trace, beside the track with its line."""
