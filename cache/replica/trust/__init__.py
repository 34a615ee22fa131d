"""Whom the replica believes, by The Update Framework (TUF specification 1.0).

A gate is given one file, a root. By it the roles below are judged, and the keys that sign heads
are learnt: they can be replaced from afar, and so can every other key.
"""

from cache.replica.trust.metadata import HEAD_KEYS, document_target, segment_target
from cache.replica.trust.trust import Trust

__all__ = ["HEAD_KEYS", "Trust", "document_target", "segment_target"]
