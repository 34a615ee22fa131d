"""The law: who may pass here and now.

Pure values and pure functions. Nothing in this package reads a clock, a file, a socket or a
random number; the doors (`scanner`, `cache`, `firmware_bridge`) and the daemon (`appliance`) bring
those in.
"""
