"""Whatever is told of a call, its record is one line of JSON that the published schema allows."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from inline_proxy.observation.call_book import CallBook, Decided, Ended
from unit.observation.told import SCHEMA, identity

TEXT = st.text(max_size=12)
STATUS = st.integers(200, 699)
CLOCK = st.integers(0, 10**8)
VERDICT = st.sampled_from(["route", "no_route", "refuse", "setup_fault", None])
IDENTITY = TEXT | st.builds(identity, attest=TEXT, orig=TEXT | st.dictionaries(TEXT, TEXT))
ASSERTED = TEXT | TEXT.map("<sip:1@x;verstat={}>".format)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("asked"), CLOCK, TEXT),
        st.tuples(
            *(st.just("clearip"), CLOCK, TEXT, STATUS | st.none(), TEXT, st.lists(TEXT)),
            *(VERDICT, st.integers(0, 9) | st.none(), st.booleans()),
            *(st.lists(IDENTITY, max_size=2), st.lists(ASSERTED, max_size=2)),
        ),
        st.tuples(
            *(st.just("attempted"), CLOCK, st.just(1), TEXT, TEXT),
            *(st.booleans(), st.integers(0, 9_000)),
        ),
        st.tuples(st.just("unreachable"), CLOCK, st.just(1), TEXT, TEXT, TEXT),
        st.tuples(
            *(st.just("failed"), CLOCK, st.just(1), st.booleans(), STATUS | st.none(), TEXT),
            st.lists(TEXT),
        ),
        st.tuples(st.just("rang"), CLOCK, st.just(180)),
        st.tuples(st.just("sung"), CLOCK),
    ).map(list),
    max_size=8,
)
BEGUN = st.tuples(
    *(st.just("begun"), CLOCK, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT | st.none()),
    *(st.integers(0, 9_000) | st.none(), st.booleans(), st.booleans()),
).map(list)
END = st.one_of(
    st.tuples(st.just("answered"), CLOCK, st.just(200)),
    st.tuples(st.just("finished"), CLOCK, STATUS, TEXT, st.booleans()),
).map(list)


@settings(max_examples=80)
@given(BEGUN, EVENTS, END)
def test_record_is_a_line_that_the_schema_allows(
    begun: list[Any], events: list[list[Any]], end: list[Any]
) -> None:
    """Texts of every kind, clocks that go back, events in any order."""
    book = CallBook()
    for event in (begun, *events):
        assert list(book.take("c1", 0, [event])) == []

    decided, *ended = [*book.take("c1", 0, [end]), *book.cut_off_all(10**9)]

    assert isinstance(decided, Decided)
    (over,) = ended
    assert isinstance(over, Ended)
    assert over.line.text.count("\n") == 1
    SCHEMA.validate(json.loads(over.line.text))
    assert decided.line.record["call_id"] == begun[2]
