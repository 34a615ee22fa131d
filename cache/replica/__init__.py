"""What we know: signed, immutable segments of facts, replicated from the hub.

`docs/replica-format.md` describes every byte. Writing needs numpy (`build`); reading does not.
"""
