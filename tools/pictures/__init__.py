"""The pictures of docs/, drawn from tables of pins and places. Called by tools/draw_pictures.py."""
