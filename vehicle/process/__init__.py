"""What the car's processes share as Linux processes: sandbox, channel, priorities, log."""
