"""The only modules that speak to Kamailio; decisions are made elsewhere."""
