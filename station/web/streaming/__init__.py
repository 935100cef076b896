"""The event stream behind the pages: who is sent what, and when."""
