"""The operator's side of the In-line Proxy for ClearIP: configuration, rendering, running."""

__version__ = "0.1.0"
