"""What is told of a racer beside the standing: the history of a place, and the races of an account."""
