"""Settings of the property tests in this folder."""

from hypothesis import HealthCheck, settings

# A busy machine makes examples slow, not wrong; time has a test of its own.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
