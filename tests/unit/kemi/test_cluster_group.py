"""What nodes tell each other, and what each makes of it: values in, values out."""

import json
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearip_proxy.cluster.fair_share import own_share
from clearip_proxy.cluster.group import SILENT_AFTER_MS, Group
from clearip_proxy.cluster.message import Received, fault_in
from clearip_proxy.cluster.news import Load, News, NotNewsError, from_text, to_text

OWN, OTHER, THIRD = "192.0.2.1", "192.0.2.2", "192.0.2.3"
NEWS = News(
    sequence=7,
    start="ab",
    release="1.2.3",
    is_draining=True,
    begun=9,
    cps=3,
    sources={"s1": Load(5, 2)},
    sites={"sip:a": "resting", "sip:b": "up"},
    counters={"calls_shed": 1},
    ended=("s1 ff",),
    observed={"setting_up": 4},
)


def text_of(values: object) -> str:
    """What a node of another making would tell."""
    body = json.dumps(values)
    return f"{zlib.crc32(body.encode()):08x} {body}"


# Fair shares


@pytest.mark.parametrize(
    ("demands", "share"),
    [
        ({}, 50),
        ({OTHER: 0}, 50),
        ({OTHER: 10}, 40),
        ({OTHER: 60}, 25),
        ({OTHER: 10, THIRD: 60}, 20),
        ({OTHER: 30, THIRD: 60}, 17),
    ],
)
def test_who_wants_less_leaves_the_rest_to_the_others(demands: dict[str, int], share: int) -> None:
    """And nobody has to do with less than an equal part."""
    assert own_share(50, OWN, demands) == share


def test_what_cannot_be_divided_is_given_to_those_that_come_first() -> None:
    """One call per second for two nodes is one call, not two and not none."""
    assert own_share(1, OWN, {OTHER: 5}) == 1
    assert own_share(1, OTHER, {OWN: 5}) == 0


@given(
    limit=st.integers(1, 200),
    wanted=st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 100), min_size=1),
)
def test_nodes_that_know_the_same_take_the_limit_and_no_more(
    limit: int, wanted: dict[str, int]
) -> None:
    """Whatever each of them wants, all is taken that is wanted, up to the limit."""
    shares = {
        own: own_share(limit, own, {n: d for n, d in wanted.items() if n != own}) for own in wanted
    }
    taken = sum(min(demand, shares[name]) for name, demand in wanted.items())

    assert taken == min(limit, sum(wanted.values()))


# News


def test_news_are_read_as_they_were_written() -> None:
    """Every field."""
    assert from_text(to_text(NEWS)) == NEWS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        to_text(NEWS)[:-1],
        to_text(NEWS).replace('"begun":9', '"begun":8'),
        text_of([]),
        text_of({"version": 2, "sequence": 1}),
        text_of({"version": 1}),
        text_of({"version": 1, "sequence": "1"}),
        text_of({"version": 1, "sequence": 1, "sources": {"s": [-1, 0]}}),
        text_of({"version": 1, "sequence": 1, "sources": {"s": [1]}}),
        text_of({"version": 1, "sequence": 1, "sites": []}),
        text_of({"version": 1, "sequence": 1, "ended": 5}),
    ],
)
def test_what_is_no_news_is_refused(text: str) -> None:
    """Half overwritten, made by another release, or made up: a negative number lifts a limit."""
    with pytest.raises(NotNewsError):
        from_text(text)


def test_news_of_another_release_are_read_as_far_as_they_are_understood() -> None:
    """More fields, and fewer."""
    assert from_text(text_of({"version": 1, "sequence": 1, "mood": "good"})) == News(1)


# The group


def group(now_ms: int = 0) -> Group:
    """A node that listens to two others."""
    return Group(OWN, (OTHER, THIRD), now_ms)


def test_node_counts_from_its_first_news_until_it_is_silent() -> None:
    """Both are told once."""
    heard = group()
    assert heard.changes(100) == []
    heard.hear(OTHER, to_text(NEWS), 200)

    assert heard.changes(200) == [(OTHER, True)]
    assert heard.calls_of_others("s1") == 2
    assert heard.own_cps("s1", 20) == 15
    assert heard.resting() == {"sip:a"}
    assert heard.changes(200 + SILENT_AFTER_MS - 1) == [(THIRD, False)]
    assert heard.changes(200 + SILENT_AFTER_MS) == [(OTHER, False)]
    assert heard.changes(200 + SILENT_AFTER_MS + 1) == []
    assert heard.calls_of_others("s1") == 0
    assert heard.own_cps("s1", 20) == 20
    assert heard.resting() == frozenset()


def test_same_text_again_is_no_sign_of_life() -> None:
    """A shared table still holds it when its node has gone."""
    heard = group()
    assert heard.hear(OTHER, to_text(NEWS), 100) == NEWS
    assert heard.hear(OTHER, to_text(NEWS), 2_900) is None
    heard.changes(100)

    assert (OTHER, False) in heard.changes(100 + SILENT_AFTER_MS)


def test_older_news_do_not_replace_newer_ones() -> None:
    """Kamailio repeats what was not acknowledged; after a restart a node counts anew."""
    heard = group()
    heard.hear(OTHER, to_text(NEWS), 100)

    assert heard.hear(OTHER, to_text(replace(NEWS, sequence=6)), 200) is None
    assert heard.hear(OTHER, to_text(replace(NEWS, sequence=8)), 300) is not None
    assert heard.hear(OTHER, to_text(replace(NEWS, sequence=1, start="cd")), 400) is not None
    assert heard.hear(OTHER, "damaged", 500) is None


# Messages

ENTRY = {"action": 2, "htname": "cluster", "cname": OTHER, "type": 2, "strval": "x", "mode": 1}
PEERS = f"sip:{OWN}:5070;status=active\r\nsip:{OTHER}:5070;status=active\r\n"


def fault(channel: str, body: str, method: str = "KDMQ") -> str:
    """What is wrong with a message of the other node's."""
    return fault_in(Received(method, channel, OTHER, body), {OWN, OTHER, THIRD}, 5070)


def test_own_news_and_a_list_of_known_nodes_are_taken() -> None:
    """That is all that nodes have to say."""
    assert fault("htable", json.dumps(ENTRY)) == ""
    assert fault("notification_peer", PEERS) == ""
    assert fault("notification_peer", "") == ""


@pytest.mark.parametrize(
    ("channel", "body", "wrong"),
    [
        ("htable", "{", "no JSON"),
        ("htable", "{}", "sets no entry"),
        ("htable", "[]", "sets no entry"),
        ("htable", json.dumps({"cells": []}), "sets no entry"),
        ("htable", json.dumps({"action": 1}), "sets no entry"),
        ("htable", json.dumps(ENTRY | {"action": 4}), "sets no entry"),
        ("htable", json.dumps(ENTRY | {"type": 0}), "sets no entry"),
        ("htable", json.dumps(ENTRY | {"strval": 1}), "sets no entry"),
        ("htable", json.dumps(ENTRY | {"cname": THIRD}), "another entry"),
        ("htable", json.dumps(ENTRY | {"htname": "sites"}), "another entry"),
        ("notification_peer", "sip:a.example:5070", "no address"),
        ("notification_peer", "nonsense", "no address"),
        ("notification_peer", "sip:192.0.2.66:5070;status=active", "not in cluster.peers"),
        ("notification_peer", f"sip:{OTHER}:5060;status=active", "not in cluster.peers"),
        ("dialog", "", "unknown channel"),
        ("", "", "unknown channel"),
    ],
)
def test_anything_else_is_refused(channel: str, body: str, wrong: str) -> None:
    """Kamailio itself takes each of them; a name in a list of nodes stops 5.6.3 for good."""
    assert wrong in fault(channel, body)


def test_request_of_another_method_is_refused() -> None:
    """A call does not come here."""
    assert fault("htable", json.dumps(ENTRY), "INVITE") == "it is no KDMQ"
