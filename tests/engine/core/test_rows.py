import pytest
from clavilux.engine.core.rows import RowsRefused, hold_to, number_of, rows_of


def test_one_alone_is_a_list_of_one():
    assert rows_of({"a": 1}, "things, [{a}]", 2) == [{"a": 1}]
    assert rows_of([{"a": 1}, {"a": 2}], "things, [{a}]", 2) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("value", "said"), [("a", r"a list of things, \[\{a\}\]"), (3, "a list of"), ([{}, {}, {}], "at most 2 things$")]
)
def test_what_is_no_list_or_too_long_is_refused_in_words(value, said):
    with pytest.raises(RowsRefused, match=said):
        rows_of(value, "things, [{a}]", 2)


def test_strange_keys_are_named_and_foreign_ones_passed_over():
    hold_to({"a": 1, "old": 2}, ("a", "b"), ("old",))
    with pytest.raises(RowsRefused, match="has no c; it has a, b"):
        hold_to({"a": 1, "c": 2}, ("a", "b"), ("old",))


def test_numbers_stay_within_their_range():
    assert [number_of({"a": x}, "a", 2.0) for x in (None, -1, 1, 5.0)] == [None, 0.0, 1.0, 2.0]
    for wrong in (True, "1", float("nan")):
        with pytest.raises(RowsRefused, match="a number for a"):
            number_of({"a": wrong}, "a", 2.0)
