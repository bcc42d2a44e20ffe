"""Property tests without a clock: the machine is shared, and no test here is about speed."""

from hypothesis import settings

settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")
