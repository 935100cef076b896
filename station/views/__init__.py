"""What screens show, computed from committed facts alone."""
