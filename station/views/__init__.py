"""What the pages show: views of committed facts, and of live states that are never stored."""
