"""What we know (`replica`) and what happened here (`journal`)."""
