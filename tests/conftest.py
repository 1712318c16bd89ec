"""What holds for all tests."""

import pytest


def pytest_collection_modifyitems(config, items):
    """Tests that take minutes run only where they are asked for: -m long."""
    if "long" not in config.getoption("-m"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="takes minutes; run with -m long"))
