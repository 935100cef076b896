"""The lap watcher: sees the gate's boards in the camera's frames and reports when they were passed."""
