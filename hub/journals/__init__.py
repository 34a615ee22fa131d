"""Whole journals at the hub: whether they are as they were, and whether a gate has the same."""
