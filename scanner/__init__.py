"""Doors in: cameras, serial scanners and keypads become readings."""
