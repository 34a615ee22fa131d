"""Keyboard wedges: barcode scanners that type what they read, as if they were a keyboard."""
