"""Reads and writes models, uploads and submissions, within the transaction of the caller."""
