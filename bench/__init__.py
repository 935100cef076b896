"""Speed, measured beside a peer in the same run: ratios with medians and p99, a table and JSON."""
