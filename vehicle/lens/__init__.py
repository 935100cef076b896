"""Measures the camera's lens: from boards that are shown to it, or from a drive past the gate."""
