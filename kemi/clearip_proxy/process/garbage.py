"""When Python looks for garbage in Kamailio's processes: seldom, and never among what stays.

A callback leaves next to no garbage that reference counts do not remove at once: looking for it
all the same, through everything that was imported, is time that calls wait for nothing.
"""

import gc

LOOK_AFTER = 20_000
"""Objects made and not removed again, before the new ones are looked through: a few megabytes."""


def look_seldom() -> None:
    """Keep everything that exists by now out of the search, which begins late from now on.

    To be called before Kamailio makes its worker processes: they share the memory of what is
    kept out until they change it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(LOOK_AFTER, 20, 100)
