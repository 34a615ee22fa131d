"""The officer's desk at the gate: who is signed in, what they see, and what they decide."""
