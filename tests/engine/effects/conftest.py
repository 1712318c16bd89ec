"""A snapshot with the values of the effects at rest."""

from types import MappingProxyType

import pytest
from clavilux.engine.core.snapshot import Snapshot
from clavilux.engine.core.table import TABLE


@pytest.fixture
def at():
    """`at(n, fps=30, **values)`: the snapshot of frame n."""

    def make(n: int, fps: float = 30.0, **values) -> Snapshot:
        resting = {p.name: p.default for p in TABLE.values() if p.alias_of is None}
        return Snapshot(n, n / fps, MappingProxyType({**resting, **values}))

    return make
