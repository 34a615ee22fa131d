"""The demonstration: an embedded hub, simulated devices on real ports, and a table to watch.

Nothing here is on the path of a scan: the appliance is the one that `chot run` runs, the hub is the
one that `chot hub serve` runs, and what is simulated stands behind the ports of the real thing.
"""
