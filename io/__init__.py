"""Doors to the world: one file per port, source or sink.

Each imports its vendor library inside, when opened, so that a missing driver costs a message and not the start.
May import `clavilux.engine.core`, nothing else of the house.
"""
