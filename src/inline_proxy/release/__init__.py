"""Building a release: the archive, its checksums, and the list of what it needs."""
