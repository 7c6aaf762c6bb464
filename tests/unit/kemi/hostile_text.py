"""Texts that no honest peer sends, for tests that a parser survives them."""

from hypothesis import strategies as st

STRUCTURE = '<>"\\,;:@?&=%[]*.019qQ \t\r\nsipte/m\x00\ud800\udc80é'
"""Characters that mean something to one of the parsers, and a few that mean trouble."""

any_text = st.one_of(
    st.text(STRUCTURE, max_size=60),
    st.binary(max_size=60).map(lambda octets: octets.decode("utf-8", "surrogateescape")),
)
"""Any octets as Kamailio's buffer comes to Python, often of characters that mean something."""
