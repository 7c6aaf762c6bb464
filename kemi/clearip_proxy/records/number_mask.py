"""Telephone numbers in a text, without their last digits (`log.mask_numbers`)."""

import re

HIDDEN = 6
"""Digits: what stays tells the country and the area, and not the subscriber."""
_DIGIT = r"(?:[0-9]|%3[0-9])"  # percent-encoding makes no other number of it (RFC 3986 §2.3)
_NUMBER = re.compile(rf"{_DIGIT}(?:[-.()]{{0,2}}{_DIGIT}){{6,}}", re.IGNORECASE)
"""Seven digits and more, with the visual separators of RFC 3966 §5.1.1 among them."""
_ONE_DIGIT = re.compile(_DIGIT)
_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")


def masked(text: str) -> str:
    """Return the text with an x for each of the last six digits of every telephone number.

    Numbers of six digits and fewer stay: emergency numbers, short codes, ports. So do addresses.
    """
    return _NUMBER.sub(_mask, text)


def _mask(number: re.Match[str]) -> str:
    if _IPV4.fullmatch(number[0]):
        return number[0]
    digits = list(_ONE_DIGIT.finditer(number[0]))
    kept = number[0][: digits[-HIDDEN].start()]
    return kept + _ONE_DIGIT.sub("x", number[0][len(kept) :])
