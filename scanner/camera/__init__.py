"""Cameras: from frames to readings.

`port` is what a camera is; `capture` and `files` implement it; `source.CameraSource` runs one
camera on two threads and delivers readings; `ladder.read_texts` reads one picture.
"""

from __future__ import annotations

import os

# OpenCV reads this once, when it is loaded, and waits 10 s by default for a camera that stalls.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")
