"""SIP messages and what stands in them, as values."""
