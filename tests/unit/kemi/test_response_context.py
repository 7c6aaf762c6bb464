"""The response context survives its way through the transaction."""

from hypothesis import given
from hypothesis import strategies as st

from clearip_proxy.response_context import FinalResponse, HeaderChanges, ResponseContext, Target

TEXTS = st.text(max_size=20)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple)
RESPONSES = st.builds(FinalResponse, st.integers(300, 699), TEXTS, PAIRS, st.booleans())
CHANGES = st.builds(HeaderChanges, st.lists(TEXTS, max_size=2).map(tuple), PAIRS)
TARGETS = st.builds(Target, TEXTS, st.integers(0, 12), TEXTS, st.booleans())
CONTEXTS = st.builds(
    ResponseContext,
    clearip_uri=TEXTS,
    remaining=st.lists(TARGETS, max_size=3).map(tuple),
    changes=st.lists(CHANGES, max_size=3).map(tuple),
    current=st.integers(0, 12),
    best=st.none() | RESPONSES,
    search_ends_ms=st.integers(0, 10**12),
    tried=st.integers(0, 30),
    awaited=st.none() | TARGETS,
    asked=st.lists(TEXTS, max_size=3).map(tuple),
    connection=st.integers(0, 10**9),
    transaction=TEXTS,
    asked_again=st.booleans(),
)


@given(CONTEXTS)
def test_context_written_is_read_back_equal(context: ResponseContext) -> None:
    """What one process stores is what the next one finds."""
    assert ResponseContext.from_text(context.to_text()) == context


@given(CONTEXTS)
def test_context_text_holds_no_line_break_or_nul(context: ResponseContext) -> None:
    """Kamailio keeps it as one text; ASCII alone needs no care about encodings."""
    text = context.to_text()

    assert text.isascii()
    assert text.isprintable()
