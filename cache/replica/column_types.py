"""What columns of rows are made of, as types of numpy arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
"""Of n rows: their keys."""
Records = NDArray[np.uint8]
"""n × bytes of a record (or of a stored row)."""
Words = NDArray[np.uint64]
"""Records of a coded layout: n × 2."""
Values = NDArray[np.uint32]
"""Of one group: its values, of n rows or in its table."""
