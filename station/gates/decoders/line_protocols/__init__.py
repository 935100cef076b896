"""Decoder protocols that send lines of text: one file each."""
