"""The one exception boundary: an exception that reaches Kamailio leaves the caller unanswered."""

import traceback
from collections.abc import Callable


def guarded(callback: Callable[[], None], on_error: Callable[[str], None]) -> int:
    """Run a callback; on any exception hand its traceback, on one line, to `on_error`.

    `on_error` logs and answers the caller. It may fail as well, when Kamailio itself is at
    its end; then silence is all that is left. Returns what Kamailio expects of a callback.
    """
    try:
        callback()
    except Exception:  # noqa: BLE001 - the boundary exists for what nobody foresaw
        try:
            on_error(traceback.format_exc().strip().replace("\n", " | "))
        except Exception:  # noqa: BLE001 - nothing is left to try
            return -1
    return 1
