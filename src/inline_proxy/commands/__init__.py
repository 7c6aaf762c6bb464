"""The commands of `inline-proxy`, one module each."""
