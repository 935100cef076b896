"""What every process of ours does for itself: its limits, its start, its signals."""
