"""Show files: model, source, sinks, mappings and opening values. The loader, the schema and the shipped `*.yaml`.

May import `clavilux.engine.core`, nothing else of the house.
"""
