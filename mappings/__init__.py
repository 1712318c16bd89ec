"""Mapping files: which control plays which parameter. The loader, the schema and the shipped `*.yaml`.

May import `clavilux.engine.core`, nothing else of the house.
"""
