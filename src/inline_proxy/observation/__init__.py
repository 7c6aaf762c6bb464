"""Records, figures and health of a running proxy, made of what Kamailio tells of its calls."""
