"""The proxy's lines in the log: one per decision, beginning with the Call-ID."""

from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.log_line import LONGEST, log_line
from clearip_proxy.records.number_mask import masked

# Kamailio replaces variables in what it logs, once. So what a message held never stands in the
# format itself, and a text between dollar signs stays a text.
LOGGED_TEXT = "text"
OF_A_CALL = "$(ci{s.substr,0,128}): $var(text)\n"
OF_NO_CALL = "$var(text)\n"


class KsrLog:
    """Writes to Kamailio's log."""

    def __init__(self, ksr: KsrPort, *, mask_numbers: bool = False) -> None:
        self._ksr = ksr
        self._masks_numbers = mask_numbers

    def note(self, text: str) -> None:
        """Say what was decided on a call."""
        self._set(text)
        self._ksr.xlog.xnotice(OF_A_CALL)

    def note_of(self, call_id: str, text: str) -> None:
        """Say the same, where Call-ID and text are known to be printable ASCII."""
        if self._masks_numbers or len(text) > LONGEST:
            self.note(text)
        else:
            self._ksr.xlog.xnotice(f"{call_id[:128]}: {text}\n".replace("$", "$$"))

    def fault(self, text: str) -> None:
        """Say what is wrong with a call, or with the set-up that it met."""
        self._set(text)
        self._ksr.xlog.xerr(OF_A_CALL)

    def note_of_no_call(self, text: str) -> None:
        """Say what was decided where no call is at hand."""
        self._set(text)
        self._ksr.xlog.xnotice(OF_NO_CALL)

    def fault_of_no_call(self, text: str) -> None:
        """Say what is wrong where no call is at hand."""
        self._set(text)
        self._ksr.xlog.xerr(OF_NO_CALL)

    def _set(self, text: str) -> None:
        line = log_line(text)
        self._ksr.pvx.var_sets(LOGGED_TEXT, masked(line) if self._masks_numbers else line)
