"""What becomes of a PASSporT that grows old while targets are tried."""

import json
from base64 import urlsafe_b64encode
from dataclasses import replace

from clearip_proxy.decisions import Fork, Noted, QueryClearIp
from clearip_proxy.moment import Moment
from clearip_proxy.response_context import FinalResponse, HeaderChanges
from clearip_proxy.search import Route, after_target, start_search
from unit.kemi.search_values import ONE_LEFT, POLICY, SEARCH, response


def token(iat: int) -> str:
    """An Identity value whose PASSporT was issued at that second."""
    claims = urlsafe_b64encode(json.dumps({"iat": iat}).encode()).decode().rstrip("=")
    return f"aGVhZA.{claims}.c2ln;info=<https://x>;alg=ES256;ppt=shaken"


SIGNED_AT_1000 = ONE_LEFT._replace(
    clearip_uri="sip:1@clearip",
    changes=(HeaderChanges(added=(("Identity", token(1_000)),)),),
)
ASKING_AGAIN = replace(POLICY, search=replace(SEARCH, on_stale_identity="ask_again"))


def test_fresh_passport_goes_on_to_the_next_target() -> None:
    """Sixty seconds are what a verifier accepts."""
    step = after_target(response(503), SIGNED_AT_1000, ASKING_AGAIN, Moment(0, 1_060))

    assert isinstance(step, Fork)


def test_stale_passport_goes_on_with_a_note() -> None:
    """By default the call is not delayed; the log says that a strict verifier may refuse it."""
    step = after_target(response(503), SIGNED_AT_1000, POLICY, Moment(0, 1_061))

    assert isinstance(step, Noted)
    assert isinstance(step.decision, Fork)
    assert "older" in step.notes[0]


def test_stale_passport_is_asked_for_again_when_configured() -> None:
    """The targets that are left stay in the context, and so does what failed before."""
    step = after_target(response(503), SIGNED_AT_1000, ASKING_AGAIN, Moment(0, 1_061))

    assert isinstance(step, QueryClearIp)
    assert step.context.asked_again
    assert step.context.remaining == SIGNED_AT_1000.remaining
    assert step.context.best == FinalResponse(503, "Phrase")


def test_stale_passport_is_asked_for_once_only() -> None:
    """When ClearIP did not sign anew, the search goes on with what there is."""
    context = SIGNED_AT_1000._replace(asked_again=True)

    assert isinstance(after_target(response(503), context, ASKING_AGAIN, Moment(0, 1_061)), Noted)


def test_first_target_gets_a_stale_passport_as_it_came() -> None:
    """ClearIP has just signed, or passed on what it verified: asking again would not help."""
    stale = HeaderChanges(added=(("Identity", token(1_000)),))

    step = start_search((Route("sip:1@a", stale),), ASKING_AGAIN.search, Moment(0, 9_999))

    assert isinstance(step, Fork)
