"""Property tests here measure behaviour, not time: a machine that is busy with other things must not fail them."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
