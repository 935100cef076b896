"""What people see: server-rendered pages that also work without scripts."""
