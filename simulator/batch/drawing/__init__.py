"""The pictures of many worlds: floors in codes, uprights, lens and sensor, all compiled."""
