"""From what was told of calls to their records."""

import json
from typing import Any

import pytest

from inline_proxy.observation.call_book import LONGEST_CALL_US, CallBook, Decided, Ended
from unit.observation.told import (
    answer,
    asked,
    attempted,
    begun,
    identity,
    records_of,
    steps_of,
    told,
)

ANSWERED = told("answered", 5_000, status=200)
BYE = told("hung_up", 65_000, "", call_id="c1@switch", from_tag="tag-a", to_tag="tag-b")


def only(*events: dict[str, Any]) -> dict[str, Any]:
    """The one record that events make."""
    (record,) = records_of(*events)
    return record


def test_answered_call_is_decided_at_once_and_recorded_at_its_end() -> None:
    """Counts need not wait for people to stop talking."""
    steps = steps_of(begun(), asked(), answer(), attempted(), ANSWERED)

    assert [type(step) for step in steps] == [Decided]
    record = only(
        begun(), asked(), answer(), attempted(), told("rang", 3_000, status=180), ANSWERED, BYE
    )
    assert (record["end"], record["status"], record["answered_by"]) == ("hung_up", 200, 1)
    assert (record["setup_ms"], record["ring_ms"], record["talk_ms"]) == (5_000, 2_000, 60_000)
    assert (record["from"], record["to"]) == ("+14045550100", "+14705550100")
    assert record["own_delay_ms"] == 3  # one before ClearIP was asked, two after its answer
    assert record["clearip"][0]["latency_ms"] == 20


@pytest.mark.parametrize(
    ("tags", "by"),
    [
        ({"from_tag": "tag-a", "to_tag": "tag-b"}, "caller"),
        ({"from_tag": "tag-b", "to_tag": "tag-a"}, "called"),
    ],
)
def test_who_hung_up_is_told_by_the_tags(tags: dict[str, str], by: str) -> None:
    """The caller's tag is the From tag of the INVITE."""
    bye = told("hung_up", 9_000, "", call_id="c1@switch", **tags)

    assert only(begun(), attempted(), ANSWERED, bye)["hung_up_by"] == by


def test_bye_of_another_dialog_ends_nothing() -> None:
    """The same Call-ID with other tags, and another Call-ID."""
    others = [
        told("hung_up", 9, "", call_id="c1@switch", from_tag="x", to_tag="y"),
        told("hung_up", 9, "", call_id="other", from_tag="tag-a", to_tag="tag-b"),
    ]

    assert records_of(begun(), attempted(), ANSWERED, *others) == []


def test_repeated_events_change_nothing() -> None:
    """A retransmitted 200 and a retransmitted BYE."""
    assert len(records_of(begun(), attempted(), ANSWERED, ANSWERED, BYE, BYE)) == 1


def test_failing_targets_are_recorded_in_order() -> None:
    """Each with what became of it and how long it took."""
    record = only(
        begun(),
        asked(),
        answer(identities=[identity()]),
        attempted(23, 1),
        told("failed", 123, n=1, canceled=False, status=503, phrase="No"),
        attempted(124, 2, hop="sip:192.0.2.2;transport=tcp"),
        told("unreachable", 130, n=2, target="sip:1@192.0.2.2", hop="", what="x"),
        told("unreachable", 131, n=3, target="sip:1@nowhere", hop="", what="leads nowhere"),
        attempted(132, 4),
        told("failed", 700, n=4, canceled=False, status=None),
        told("finished", 701, status=503, phrase="", canceled=False),
    )

    assert [each["result"] for each in record["attempts"]] == [
        "failed",
        "unreachable",
        "unreachable",
        "silent",
    ]
    assert [each["ms"] for each in record["attempts"]] == [100, 6, 0, 568]
    assert record["attempts"][1]["transport"] == "tcp"
    assert (record["status"], record["phrase"], record["end"]) == (503, "No", "refused")
    assert [each["over_1300_bytes"] for each in record["attempts"]] == [True, True, False, True]


def test_passports_are_decoded() -> None:
    """Claims as RFC 8225 and RFC 8588 name them."""
    event = answer(identities=[identity()], asserted=['"J" <sip:1@x;verstat=TN-Validation-Passed>'])

    record = only(begun(), asked(), event, told("finished", 30, status=603, phrase="x"))

    assert record["passports"] == [
        {
            "ppt": "shaken",
            "x5u": "https://c.example/c.pem",
            "attest": "A",
            "orig": "14045550100",
            "dest": ["14705550100", "sip:x@example.net"],
            "iat": 1_700_000_000,
            "origid": "123e4567",
        }
    ]
    assert record["verstat"] == "TN-Validation-Passed"


@pytest.mark.parametrize(
    "value",
    ["..sig;ppt=shaken", "", "a.b.c;ppt=shaken", identity(orig=[1], dest="x", iat="1", attest=2)],
)
def test_passport_that_says_nonsense_is_recorded_all_the_same(value: str) -> None:
    """Whoever signs may put anything there; the record stays valid."""
    event = answer(identities=[value])

    (passport,) = only(begun(), event, told("finished", 30, status=603, phrase=""))["passports"]

    assert passport.get("attest") is None


FINISHED = {"phrase": "", "canceled": False}


@pytest.mark.parametrize(
    ("events", "disposition"),
    [
        ([asked(), answer(), attempted()], "signed"),
        ([asked(), answer(), attempted(signed=False)], "routed"),
        ([asked(), answer(diverted=True), attempted()], "diverted"),
        (
            [asked(), answer(status=404, verdict="no_route", contacts=0), attempted(signed=False)],
            "unsigned",
        ),
        ([asked(), answer(status=None, verdict=None), attempted(signed=False)], "unsigned"),
        ([asked(), answer(status=603, verdict="refuse", contacts=0)], "blocked"),
        ([asked(), answer(status=484, verdict="refuse", contacts=0)], "rejected"),
        ([asked(), answer(status=404, verdict="no_route", contacts=0)], "rejected"),
        ([asked(), answer(status=403, verdict="setup_fault", contacts=0)], "unavailable"),
        ([asked(), answer(status=None, verdict=None)], "unavailable"),
        ([], "unavailable"),
    ],
)
def test_disposition_says_what_became_of_a_call(
    events: list[dict[str, Any]], disposition: str
) -> None:
    """One word for each."""
    end = {**told("finished", 99), "status": 503, **FINISHED}

    assert only(begun(), *events, end)["disposition"] == disposition


@pytest.mark.parametrize(
    ("first", "end", "disposition"),
    [
        (begun(emergency=True, query=False), {}, "emergency"),
        (begun(query=False), {}, "rejected"),
        (begun(), {"status": 487, "canceled": True}, "canceled"),
    ],
)
def test_disposition_of_a_call_that_clearip_had_no_say_in(
    first: dict[str, Any], end: dict[str, Any], disposition: str
) -> None:
    """An emergency, a refusal of the proxy's own, a caller who gave up."""
    finished = {**told("finished", 99), "status": 483, **FINISHED, **end}

    assert only(first, finished)["disposition"] == disposition


def test_start_of_kamailio_cuts_off_what_was_being_set_up() -> None:
    """Answered calls live on, as their dialogs do."""
    book = CallBook()
    steps_of(begun(), attempted(), ANSWERED, begun(6_000, "c2"), book=book)

    (record,) = records_of(told("started", 7_000, ""), book=book)

    assert (record["id"], record["end"], record["status"]) == ("c2", "cut_off", None)
    assert book.conversations == 1
    assert records_of(BYE, book=book)[0]["end"] == "hung_up"


def test_call_that_began_after_the_start_is_not_cut_off() -> None:
    """The timer that tells of the start runs a moment later than the first call may come."""
    book = CallBook()

    steps = steps_of(begun(10), told("started", 5, ""), book=book)

    assert steps == []
    assert list(book.setting_up) == ["c1"]


def test_end_of_the_proxy_cuts_off_everything() -> None:
    """Ringing and answered calls alike; none of them twice."""
    book = CallBook()
    steps_of(begun(), attempted(), ANSWERED, begun(6_000, "c2"), book=book)

    ended = [step for step in book.cut_off_all(ANSWERED["at"] + 10**9) if isinstance(step, Ended)]

    assert sorted(step.line.record["end"] for step in ended) == ["cut_off", "cut_off"]
    assert list(book.cut_off_all(ANSWERED["at"] + 10**9)) == []


def test_call_without_a_bye_is_given_up_after_a_day() -> None:
    """It passed where the proxy did not see it; memory must not fill."""
    book = CallBook()
    steps_of(begun(), attempted(), ANSWERED, book=book)

    assert list(book.give_up_old(ANSWERED["at"] + LONGEST_CALL_US)) == []
    (step,) = book.give_up_old(ANSWERED["at"] + LONGEST_CALL_US + 1)

    assert step.line.record["end"] == "cut_off"
    assert book.conversations == 0


def test_book_is_stored_and_taken_up_again() -> None:
    """Through JSON, in the middle of two calls."""
    book = CallBook()
    steps_of(begun(), attempted(), ANSWERED, begun(6_000, "c2"), attempted(), book=book)

    again = CallBook.from_json(json.loads(json.dumps(book.to_json())))

    finished = {**told("finished", 7_000, "c2"), "status": 486, **FINISHED}
    assert [each["id"] for each in records_of(BYE, finished, book=again)] == ["c1", "c2"]


def test_what_a_later_release_tells_is_passed_over() -> None:
    """Kinds that are not known, and values behind those that are."""
    book = CallBook()
    steps_of(begun(), attempted(), book=book)

    assert list(book.take("c1", 0, [["sang", 1]])) == []
    (decided, ended) = book.take("c1", 0, [["finished", 9_000, 486, "Busy", False, "loud"]])

    assert (decided.line.record["status"], ended.line.record["phrase"]) == (486, "Busy")


def test_query_that_is_asked_again_has_an_answer_of_its_own() -> None:
    """At the same site: what was answered first is not answered twice."""
    record = only(
        begun(),
        asked(1),
        answer(21),
        attempted(23),
        told("failed", 50, n=1, canceled=False, status=503, phrase=""),
        asked(60),
        answer(65, status=603, verdict="refuse", phrase="No"),
        told("finished", 70, status=603, phrase="", canceled=False),
    )

    assert [(each["status"], each["latency_ms"]) for each in record["clearip"]] == [
        (302, 20),
        (603, 5),
    ]
    assert record["phrase"] == "No"


def test_durations_survive_a_restart_of_the_machine() -> None:
    """Its monotonic clock begins anew; the wall clock tells."""
    bye = {**BYE, "clock": 5}

    assert only(begun(), attempted(), ANSWERED, bye)["talk_ms"] == 60_000
