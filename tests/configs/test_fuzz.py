"""Any values under any keys: a show or Mistakes, never another error."""

import yaml
from clavilux.configs.loader import parse_show
from clavilux.configs.schema import SHOW_KEYS
from clavilux.configs.show import Show
from clavilux.configs.stream import DEFAULTS, LIVE
from clavilux.engine.core.documents import Mistakes
from clavilux.engine.core.table import TABLE
from hypothesis import given, settings
from hypothesis import strategies as st

WORDS = st.sampled_from(
    [*TABLE, *TABLE.actions, "none", "self", "slew", "lag", "prompt_list", "seed_list", "camera:0", "a/b.yaml"]
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
STREAM = st.dictionaries(st.sampled_from([*DEFAULTS, *LIVE, "prompt_blending", "seed_blending"]), ANY, max_size=6)
VALUES = st.dictionaries(st.sampled_from([*TABLE, *TABLE.actions, "nope"]), ANY, max_size=6)
TOP = st.dictionaries(st.sampled_from([*SHOW_KEYS, "width", "height", "nope"]), ANY, max_size=6)


@settings(deadline=None)
@given(TOP, STREAM, VALUES, st.booleans())
def test_any_show_is_one_or_mistakes(top, stream, values, is_config):
    show = {**top, **stream, "model_id": "x"} if is_config else {**top, "stream": stream, "parameters": values}
    try:
        found = parse_show(yaml.safe_dump(show, allow_unicode=True))
    except Mistakes as e:
        found = e
    assert isinstance(found, Show) or str(found)
