"""How a web server takes its connections: who stays, who is read next, and what is read of each."""
