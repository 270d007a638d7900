"""How all tests draw their examples."""

from hypothesis import settings

# The same examples in every run, and no deadline, since the first call of a kernel loads or compiles it. To look for new
# examples: pytest -m hypothesis --hypothesis-profile=default
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
