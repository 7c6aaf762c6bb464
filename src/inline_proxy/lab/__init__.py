"""The lab: a ClearIP stand-in, carriers and callers, to try the proxy without an account."""
