"""A procedural world of captioned pictures, ours from first to last: no scraped data.

Adding a concept is one function under ``@concept("name", "synonym", ...)`` in one of the modules imported here.
"""

from . import abstract, city, elements, geometry, land, life, matter, sky, water  # noqa: F401  (fill the registry)
from .compose import Picture, make_picture, retell
from .registry import CONCEPTS

__all__ = ["CONCEPTS", "Picture", "make_picture", "retell"]
