"""Where limits are counted, by the settings: in this process or in Redis. The desk needs these, and none of the other adapters."""

from __future__ import annotations

from medonline.config.settings import Config
from medonline.providers.limits.places import RedisPlaces, UncountedPlaces
from medonline.providers.limits.stores import MemoryLimitStore, RedisLimitStore
from medonline.services.limits.alarms import Alarms
from medonline.services.limits.places import Places
from medonline.services.limits.windows import LimitStore


def build_limit_store(config: Config, alarms: Alarms) -> LimitStore:
    """Where moving windows are counted."""
    if config.limits_in_memory:
        return MemoryLimitStore()
    return RedisLimitStore(config.limits_storage.get_secret_value(), alarms)


def build_places(config: Config, alarms: Alarms) -> Places:
    """Where open sockets are counted."""
    if config.limits_in_memory:
        return UncountedPlaces()
    return RedisPlaces(config.limits_storage.get_secret_value(), alarms)
