"""The sound of a screen."""
