"""What is made of runs afterwards: results to be driven again, and videos."""
