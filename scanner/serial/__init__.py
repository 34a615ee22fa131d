"""Serial scanners: framing (sans-IO), the port, the source of readings, and a simulated scanner."""
