"""What differs between cars, and the arithmetic that is the same for all of them."""
