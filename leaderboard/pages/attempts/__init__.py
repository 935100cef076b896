"""Pages of attempts: a racer's own ones, and the desk of a race's officials."""
