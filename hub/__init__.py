"""The upstream: builds and publishes what gates replicate, takes in what they report."""
