"""Control and time: clock, events, parameters, smoothing, router, journal, loop.

May import the standard library and numpy, nothing else: no torch, no YAML, no driver, no `time.*` outside `clock`.
"""
