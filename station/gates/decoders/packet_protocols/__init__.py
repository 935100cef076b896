"""Decoder protocols that send framed packets: one file each."""
