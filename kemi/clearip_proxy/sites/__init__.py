"""The ClearIP sites: their addresses, connections, certificates and states."""
