"""How much of a limit that nodes have in common is one node's (max-min fairness)."""

from collections.abc import Mapping


def own_share(limit: int, own: str, demands: Mapping[str, int]) -> int:
    """Return how much of the limit the node `own` may use, whatever it wants itself.

    `demands` is what each of the other nodes has wanted lately. Who wants less than an equal part
    is given that, and leaves the rest to the others. What cannot be divided goes to those whose
    names come first: the shares of nodes that know the same never add up to more than the limit.
    """
    wanting = sorted((demand, name) for name, demand in demands.items() if demand > 0)
    left = limit
    while wanting and wanting[0][0] * (len(wanting) + 1) <= left:
        left -= wanting.pop(0)[0]
    sharing = sorted([own, *(name for _, name in wanting)])
    each, over = divmod(left, len(sharing))
    return each + (sharing.index(own) < over)
