from tests.providers.limits.redis_server import redis

__all__ = ["redis"]
