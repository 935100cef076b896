"""What the web servers of all machines share: listening, limits, security headers, error pages and assets."""
