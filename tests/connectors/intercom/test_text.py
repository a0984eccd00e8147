"""HTML to text both ways: nothing of the words is lost, nothing of the markup is left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff_connectors.intercom.mapping import opening_body, reference, reference_in
from handoff_connectors.intercom.text import digest, note_html, to_text
from handoff_sync.core.markup import Block, clean, split

TEXTS = {
    "<p>One</p><p>Two<br>Three</p>": "One\n\nTwo\nThree",
    "  <p>a\n   b</p>\n": "a b",
    "plain": "plain",
    '<a href="https://a.example/x">here</a>': "here (https://a.example/x)",
    '<a href="https://a.example/">https://a.example</a>': "https://a.example",
    '<a href="mailto:a@b.example">a@b.example</a>': "a@b.example",
    '<a href="javascript:alert(1)">x</a>': "x",
    '<a href="https://a.example/"><img src="https://i.example/1.png"></a>': "https://a.example/",
    "<ul><li>a</li><li>b</li></ul>": "- a\n- b",
    "<pre>a\n  b</pre>": "a\nb",
    "<script>x</script><style>y</style>z": "z",
    "1 &lt; 2 &amp;&amp; &#123;x&#125;": "1 < 2 && {x}",
    "<b>unclosed <i>tags": "unclosed tags",
    "a < b": "a < b",
}


@pytest.mark.parametrize(("markup", "text"), TEXTS.items())
def test_what_a_reader_sees(markup: str, text: str) -> None:
    assert to_text(markup) == text


@given(st.text(max_size=300))
def test_our_escaped_words_come_back_whole(words: str) -> None:
    (markup, *rest) = split([Block(text=clean(words))], 10_000)
    assert rest == []
    assert to_text(markup).split() == clean(words).split()
    assert to_text(note_html(markup)) == to_text(markup)
    assert digest(note_html(markup)) == digest(markup)


def test_notes_use_tags_that_are_known_to_show() -> None:
    markup = '<p dir="auto"><strong><bdi>Ana</bdi></strong> · 12:00<br>&lt;strong&gt;</p>'
    assert note_html(markup) == "<p><b>Ana</b> · 12:00<br>&lt;strong&gt;</p>"


def test_a_reference_is_one_word_and_found_in_text_and_html() -> None:
    word = reference("hs:acme:1")
    assert word.isalnum()
    assert word == reference("hs:acme:1") != reference("hs:acme:2")
    body = opening_body("Hello", word)
    assert reference_in(body) == word
    assert reference_in(f"<p>Hello</p><p>Reference: {word}</p>") == word
    assert reference_in("Reference: nothing") is None
