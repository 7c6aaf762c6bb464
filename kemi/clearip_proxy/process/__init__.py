"""What every process of Kamailio's needs for Python: the guard, garbage, a policy that changes."""
