"""Cameras: from frames to readings.

`port` is what a camera is; `capture`, `network` and `files` implement it; `source.CameraSource`
runs one camera on two threads and delivers readings; `ladder.read_texts` reads one picture.
"""

from __future__ import annotations

import os

# OpenCV reads this once, when it is loaded, and waits 10 s by default for a camera that stalls.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")
# FFmpeg would fall back to UDP, which tears pictures, and fetch the sound, too. Files ignore it.
os.environ.setdefault(
    "OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp|allowed_media_types;video"
)
# What it warns of, our errors say once: an absent camera is tried for ever, and fills a journal.
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
