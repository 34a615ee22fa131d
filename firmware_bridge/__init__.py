"""Doors out: signals become light, sound and an open gate."""
