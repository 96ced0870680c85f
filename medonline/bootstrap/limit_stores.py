"""Chooses by the settings where limits are counted: in this process or in Redis. The desk needs these, but no other adapter."""

from __future__ import annotations

from medonline.config.settings import Config
from medonline.providers.limits.places import RedisPlaces, UncountedPlaces
from medonline.providers.limits.stores import MemoryLimitStore, RedisLimitStore
from medonline.services.limits.alarms import Alarms
from medonline.services.limits.places import Places
from medonline.services.limits.windows import LimitStore


def build_limit_store(config: Config, alarms: Alarms) -> LimitStore:
    """The store that counts moving windows."""
    if config.limits_in_memory:
        return MemoryLimitStore()
    return RedisLimitStore(config.limits_storage.get_secret_value(), alarms)


def build_places(config: Config, alarms: Alarms) -> Places:
    """The store that counts open sockets."""
    if config.limits_in_memory:
        return UncountedPlaces()
    return RedisPlaces(config.limits_storage.get_secret_value(), alarms)
