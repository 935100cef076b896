"""What the machines say to each other: messages, topics, results, and their canonical bytes."""
