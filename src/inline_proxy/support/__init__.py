"""What somebody who helps needs to see of a proxy, in one archive and without its secrets."""
