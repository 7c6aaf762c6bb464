"""The pieces of RFC 3261 §25."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearip_proxy.sip import grammar
from unit.kemi.hostile_text import any_text


@pytest.mark.parametrize(
    ("compact", "name"),
    [
        ("a", "Accept-Contact"),
        ("b", "Referred-By"),
        ("c", "Content-Type"),
        ("d", "Request-Disposition"),
        ("e", "Content-Encoding"),
        ("f", "From"),
        ("i", "Call-ID"),
        ("j", "Reject-Contact"),
        ("k", "Supported"),
        ("l", "Content-Length"),
        ("m", "Contact"),
        ("n", "Identity-Info"),
        ("o", "Event"),
        ("r", "Refer-To"),
        ("s", "Subject"),
        ("t", "To"),
        ("u", "Allow-Events"),
        ("v", "Via"),
        ("x", "Session-Expires"),
        ("y", "Identity"),
    ],
)
def test_compact_name_in_either_case_is_spelt_out(compact: str, name: str) -> None:
    """Each registered one-letter name stands for the long name, in both cases."""
    assert grammar.canonical_name(compact) == name.lower()
    assert grammar.canonical_name(compact.upper()) == name.lower()
    assert grammar.canonical_name(name) == name.lower()


@pytest.mark.parametrize(
    "letter", sorted(set(string.ascii_lowercase) - set("abcdefijklmnorstuvxy"))
)
def test_letter_without_registration_stays_itself(letter: str) -> None:
    """A letter that is no registered compact form names nothing but itself."""
    assert grammar.canonical_name(letter) == letter


@pytest.mark.parametrize("text", ["INVITE", "x-Foo.1", "-.!%*_+`'~"])
def test_token_characters_make_a_token(text: str) -> None:
    """Every character class of the token rule is accepted."""
    assert grammar.is_token(text)


@pytest.mark.parametrize("text", ["", "a b", "a:b", "a,b", '"a"', "é", "a\n", "<a>"])
def test_other_characters_make_no_token(text: str) -> None:
    """Separators, blanks, quotes and letters outside ASCII are refused."""
    assert not grammar.is_token(text)


@pytest.mark.parametrize("control", [*map(chr, range(9)), *map(chr, range(10, 32)), "\x7f"])
def test_control_character_is_found(control: str) -> None:
    """Every control character but HTAB is found wherever it stands."""
    assert grammar.has_control(f"a{control}b")


@pytest.mark.parametrize("text", ["", "a b", "a\tb", "Zoë", "\udcff", "~"])
def test_text_without_control_character_is_clean(text: str) -> None:
    """HTAB, UTF-8 and escaped bytes are no control characters."""
    assert not grammar.has_control(text)


@pytest.mark.parametrize(
    ("folded", "unfolded"),
    [
        ("a, b", "a, b"),
        ("a,\r\n b", "a, b"),
        ("a,\n\tb", "a, b"),
        ("a, \t \r\n \t b", "a, b"),
        ("a,\r\n  \r\n b", "a, b"),
        ("a\r\nb", "a\r\nb"),
        ("a  b\r\n c", "a  b c"),
    ],
)
def test_fold_becomes_one_space(folded: str, unfolded: str) -> None:
    """A line end with the blanks round it is one space; blanks elsewhere stay."""
    assert grammar.unfold(folded) == unfolded


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        ("", ()),
        (" , ,, ", ()),
        ("a", ("a",)),
        ("a,b , c", ("a", "b", "c")),
        ('"a,b" <c>, d', ('"a,b" <c>', "d")),
        ("<a,b>,c", ("<a,b>", "c")),
        (r'"a\",b",c', (r'"a\",b"', "c")),
        (r'"a\\",c', (r'"a\\"', "c")),
        ('"<",">"', ('"<"', '">"')),
        ('<a">,b', ('<a">', "b")),
        ('a,"b,c', ("a", '"b,c')),
        ("a,<b,c", ("a", "<b,c")),
        ('a,"b\\', ("a", '"b\\')),
    ],
)
def test_list_splits_at_commas_outside_quotes_and_brackets(
    value: str, elements: tuple[str, ...]
) -> None:
    """Quoted and bracketed commas separate nothing; what is never closed runs to the end."""
    assert grammar.split_list(value) == elements


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", ()),
        (";q=0.5", (("q", "0.5"),)),
        (" ; q = 0.5 ; lr ;; x= ", (("q", "0.5"), ("lr", None), ("x", ""))),
        (";a=b=c", (("a", "b=c"),)),
        (';n="a;b";m', (("n", '"a;b"'), ("m", None))),
        (
            "a.b.c;info=<https://x/;y>;alg=ES256",
            (
                ("a.b.c", None),
                ("info", "<https://x/;y>"),
                ("alg", "ES256"),
            ),
        ),
    ],
)
def test_parameters_split_at_semicolons_outside_quotes_and_brackets(
    text: str, parameters: grammar.Parameters
) -> None:
    """Names and values are to the letter, in order, without the blanks round the separators."""
    assert grammar.split_parameters(text) == parameters


def test_parameter_is_found_in_any_case_and_first_wins() -> None:
    """Parameter names are case-insensitive; of two the first counts."""
    parameters = (("lr", None), ("Q", "0.1"), ("q", "0.9"))

    assert grammar.find_parameter(parameters, "q") == "0.1"
    assert grammar.find_parameter(parameters, "LR") == ""
    assert grammar.find_parameter(parameters, "x") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('""', ""),
        ('"a b"', "a b"),
        (r'"a\"b\\c"', r'a"b\c'),
        ("plain", "plain"),
        ('"open', '"open'),
        ('"', '"'),
        ("", ""),
    ],
)
def test_quoted_string_is_unquoted(text: str, said: str) -> None:
    """Quotes and escapes go; text that is no quoted string stays."""
    assert grammar.unquote_string(text) == said


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("<a>", ("", "a", "")),
        ('"<x>" <a>;b', ('"<x>" ', "a", ";b")),
        ('x "q" <a><b>', ('x "q" ', "a", "<b>")),
        ("a;b", None),
        ('"<a>"', None),
        ("x <a", None),
    ],
)
def test_name_addr_splits_round_the_first_brackets(
    text: str, parts: tuple[str, str, str] | None
) -> None:
    """Quoted brackets are no brackets; without a closed pair there is no name-addr."""
    assert grammar.split_name_addr(text) == parts


@given(st.lists(any_text, max_size=5))
def test_quoted_texts_joined_with_commas_split_back(texts: list[str]) -> None:
    """Printing quoted strings as a list and splitting it again loses nothing."""
    quoted = ['"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts]

    elements = grammar.split_list(" ,\t".join(quoted))

    assert [grammar.unquote_string(element) for element in elements] == texts


@given(any_text)
def test_split_of_any_text_keeps_every_character_but_separators(text: str) -> None:
    """Splitting invents and reorders nothing: only commas and the blanks round them go."""
    elements = grammar.split_list(text)

    dropped = str.maketrans("", "", ", \t\r\n")
    assert "".join(elements).translate(dropped) == text.translate(dropped)
    assert all(element == element.strip(grammar.LWS) != "" for element in elements)
