"""What nearly all calls are, read and decided in one step each; None leaves it to the others.

A process comes to a call with cold caches: what counts is how many different functions and
objects it touches. So the usual shape of a message has a short way of its own: a pattern that is
made for its kind reads it in one look. It decides what the general way decides, which property
tests hold it to, and is never a rule of its own.
"""
