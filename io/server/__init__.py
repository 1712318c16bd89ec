"""The server: the show over HTTP and WebRTC, and the page it is played on.

`desk` is the show as every client sees it; it knows no web library. `guard` decides who comes in. The server lives on
its own thread with its own asyncio loop; the render loop never waits for it. Nothing here may import a model library,
and the web libraries are imported only when a server is made.
"""
