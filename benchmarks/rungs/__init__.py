"""How the rungs of the decode ladder come to their order: measured, learnt, and checked in."""
