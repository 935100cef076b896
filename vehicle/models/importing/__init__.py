"""From a racer's archive to a model in the library. All that is read here is untrusted."""
