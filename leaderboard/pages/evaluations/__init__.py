"""Pages of the virtual circuit's evaluations: how a race is driven, and how the farms stand."""
