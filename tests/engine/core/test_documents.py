"""Documents: values with their lines, bounds, and mistakes that sort and print."""

import yaml
from clavilux.engine.core.documents import Mistake, Mistakes, Page
from clavilux.engine.core.sections import Section
from hypothesis import given, settings
from hypothesis import strategies as st


def test_values_know_their_lines():
    page = Page("a.yaml")
    root = page.parse("a: 1\nb:\n  - x\n  - {c: true}\n", yaml.SafeLoader, yaml.YAMLError)
    assert root.plain() == {"a": 1, "b": ["x", {"c": True}]}
    b = root.content["b"]
    assert (root.content["a"].line, b.line) == (1, 2)
    assert [n.line for n in b.content] == [3, 4]
    assert b.content[1].content["c"].column == 9


def test_mistakes_sort_by_line_and_print_one_a_line():
    found = Mistakes([Mistake("a", 9, "x", "late"), Mistake("a", 2, "", "early"), Mistake("a", 9, "x", "late")])
    assert str(found) == "a:2: early\na:9: x: late"
    assert str(Mistake("a", 0, "k", "no line")) == "a: k: no line"


def test_a_wrong_value_is_noted_and_the_default_goes_on():
    page = Page("a")
    section = Section(page, page.parse("n: x\nf: 2\nw: b\nt: []\n", yaml.SafeLoader, yaml.YAMLError))
    assert section.number("n", 1.5) == 1.5
    assert section.flag("f", True) is True
    assert section.word("w", ("a", "c"), "a") == "a"
    assert section.text("t", "d") == "d"
    assert section.whole("absent", 3) == 3
    assert [m.line for m in page.mistakes] == [1, 2, 3, 4]


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_document_or_mistakes(text):
    page = Page("a")
    try:
        page.parse(text, yaml.SafeLoader, yaml.YAMLError).plain()
    except Mistakes as e:
        said = e.mistakes
    else:
        said = page.mistakes or "nothing"
    assert said
