"""What the web servers of all machines share: the listening server, its limits, security headers, error pages and assets."""
