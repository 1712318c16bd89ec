"""The kinds of source and sink there are, by the words a performer types; whoever reads or opens one looks here."""

SOURCES = ("demo", "test-pattern", "camera", "screen", "spout", "syphon", "ndi", "webrtc", "none")
SINKS = ("window", "null", "spout", "syphon", "ndi", "virtual-camera")
# Those that take `kind:name`.
NAMED_SOURCES = ("camera", "screen", "spout", "syphon", "ndi")
NAMED_SINKS = ("spout", "syphon", "ndi", "virtual-camera")
# There on Windows or macOS alone: whoever plays may ask for them anywhere, and hears that there are none.
OF_ONE_SYSTEM = ("spout", "syphon")
# How an address begins.
SOURCE_SCHEMES = ("rtsp", "rtsps", "srt", "udp", "rtp", "tcp", "http", "https", "rtmp")
SINK_SCHEMES = ("rtmp", "rtmps", "srt", "udp", "tcp")
# How a recorded file ends.
FILMS = (".mp4", ".mkv", ".gif")
