"""Patterns made for messages as they come."""

from clearip_proxy.plain.shapes import MOST, Shapes


def pattern_of(lines: list[str]) -> str:
    """Any value is good for every header field."""
    return "".join(f"[^\r]*{line.partition(':')[0]}[^\r]*\r\n" for line in [":", *lines[1:]])


def message(*names: str) -> str:
    """A message with these header fields."""
    return "".join(f"{line}\r\n" for line in ("start", *(f"{name}: x" for name in names), ""))


def test_message_of_a_known_kind_is_read_without_learning() -> None:
    """Whatever stands in it."""
    shapes = Shapes(pattern_of, ())

    assert shapes.learn(message("From", "To"))
    (shape,) = shapes.known
    assert shape.match(message("From", "To").replace("x", "another"))
    assert shape.match(message("To", "From")) is None
    assert dict(shape.fields) == {"From": 1, "To": 1}


def test_kind_is_looked_into_once() -> None:
    """The second message of it makes no pattern."""
    shapes = Shapes(pattern_of, ())
    shapes.learn(message("From"))

    assert not shapes.learn(message("From"))
    assert len(shapes.known) == 1


def test_what_has_no_pattern_or_no_end_is_not_learnt() -> None:
    """It is not plain."""
    assert not Shapes(lambda _lines: None, ()).learn(message("From"))
    assert not Shapes(pattern_of, ()).learn("start\r\nFrom: x")


def test_kinds_are_bounded() -> None:
    """Making a pattern takes long: whoever sends ever new kinds takes no time of others' calls."""
    shapes = Shapes(pattern_of, ())

    learnt = [shapes.learn(message(f"X-{number}")) for number in range(MOST + 3)]

    assert learnt == [True] * MOST + [False] * 3
