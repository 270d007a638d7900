"""How all tests draw their examples."""

from hypothesis import settings

# The same examples in every run. To look for new ones: pytest -m hypothesis --hypothesis-profile=explore
# No deadline, since the first call of a kernel loads or compiles it.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile("repeatable")
