"""Synthetic scenes behind the camera port: people at a gate who hold up a phone or a card."""
