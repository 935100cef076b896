"""Camera frames on their way to the policy: the newest frame, its checks, its preparation."""
