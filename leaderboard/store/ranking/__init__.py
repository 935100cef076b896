"""Places in a table: its lines, counts by score, windows of lines, and the results behind them."""
