"""Lines that a source provokes, told sparingly."""

from clearip_proxy.process.sparing import EACH, PLENTY, Sparing

SOURCE, OTHER = "192.0.2.10", "192.0.2.20"


class Clock:
    """A clock that is set."""

    now_s = 5.5

    def __call__(self) -> float:
        """Tell it."""
        return self.now_s


def test_lines_of_a_flood_are_told_in_part_and_counted() -> None:
    """Each hundredth says how many there were."""
    sparing = Sparing(Clock())

    told = [sparing.told(SOURCE, "answered: 405") for _ in range(2 * EACH)]

    assert told[:PLENTY] == ["answered: 405"] * PLENTY
    assert [line for line in told[PLENTY:] if line] == [
        f"answered: 405 (line {EACH} of {SOURCE} in this second)",
        f"answered: 405 (line {2 * EACH} of {SOURCE} in this second)",
    ]


def test_another_source_and_the_next_second_are_told_in_full() -> None:
    """A flood hides nobody else."""
    clock = Clock()
    sparing = Sparing(clock)
    for _ in range(EACH - 1):
        sparing.told(SOURCE, "x")

    assert sparing.told(OTHER, "y") == "y"
    clock.now_s += 1
    assert sparing.told(SOURCE, "z") == "z"
