"""Cameras: from frames to readings.

`port` is what a camera is; `capture` and `files` implement it; `source.CameraSource` runs one
camera on two threads and delivers readings; `ladder.read_texts` reads one picture.
"""
