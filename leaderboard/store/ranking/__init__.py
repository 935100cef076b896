"""Places in a table: counts by score, windows of lines, and the results behind them."""
