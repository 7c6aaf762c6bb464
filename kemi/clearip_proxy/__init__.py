"""The in-line proxy for ClearIP: what runs inside Kamailio."""
