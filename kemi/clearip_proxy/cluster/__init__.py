"""What the nodes of a group tell each other, and what each makes of it."""
