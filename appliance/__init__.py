"""The daemon: builds the doors and walks one scan through them."""
