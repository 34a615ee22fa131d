"""The journal: what happened here, durable before the gate moves (see docs/journal-format.md)."""
