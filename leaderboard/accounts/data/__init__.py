"""What an account has stored here: all of it as one file, and its erasure."""
