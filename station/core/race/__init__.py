"""A race and its runs: counts crossings, carries out orders, applies time limits, works out results and standings."""
