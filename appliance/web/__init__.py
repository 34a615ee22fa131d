"""The kiosk: what people at the gate see and hear, and what monitoring asks."""
