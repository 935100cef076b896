"""A race and its runs on the track: counts crossings, applies time limits, works out results and standings."""
