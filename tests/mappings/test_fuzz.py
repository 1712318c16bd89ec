"""Any values under any keys: a mapping or Mistakes, never another error."""

import yaml
from clavilux.engine.core.bindings import BindingSet
from clavilux.engine.core.documents import Mistakes
from clavilux.engine.core.table import TABLE
from clavilux.mappings.loader import parse_mapping
from clavilux.mappings.schema import ROW_KEYS
from hypothesis import given, settings
from hypothesis import strategies as st

WORDS = st.sampled_from(
    [*TABLE, *TABLE.actions, "toggle", "set", "pickup", "exp", "none", "slew", "gamma", "/a/*", "text"]
)
ANY = st.recursive(
    st.one_of(
        WORDS,
        st.text(max_size=8),
        st.integers(-300, 20_000),
        st.integers(),
        st.floats(),
        st.booleans(),
        st.none(),
        st.dates(),
        st.binary(max_size=3),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(WORDS, st.text(max_size=4)), inner, max_size=3)
    ),
    max_leaves=5,
)
ROW = st.one_of(ANY, st.dictionaries(st.sampled_from([*ROW_KEYS, "chanel"]), ANY, max_size=7))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["version", "name", "x"]), ANY), st.one_of(ANY, st.lists(ROW, max_size=4)))
def test_any_mapping_is_one_or_mistakes(top, rows):
    text = yaml.safe_dump({**top, "bindings": rows}, allow_unicode=True)
    try:
        found = parse_mapping(text)
    except Mistakes as e:
        found = e
    assert isinstance(found, BindingSet) or str(found)
