"""The cache: Redis, and the database where Redis is gone, so that limits hold and nobody is locked out."""

from typing import Any

from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError


class ForgivingCache(RedisCache):
    """Redis with a fall-back to the `database` cache when it does not answer."""

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except RedisError:
            return caches["database"].get(key, default, version)

    def set(self, key: Any, value: Any, timeout: Any = ..., version: int | None = None) -> None:
        given = {} if timeout is ... else {"timeout": timeout}
        try:
            super().set(key, value, version=version, **given)
        except RedisError:
            caches["database"].set(key, value, version=version, **given)

    def add(self, key: Any, value: Any, timeout: Any = ..., version: int | None = None) -> bool:
        given = {} if timeout is ... else {"timeout": timeout}
        try:
            return bool(super().add(key, value, version=version, **given))
        except RedisError:
            return caches["database"].add(key, value, version=version, **given)

    def delete(self, key: Any, version: int | None = None) -> bool:
        try:
            return bool(super().delete(key, version))
        except RedisError:
            return caches["database"].delete(key, version)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        try:
            return int(super().incr(key, delta, version))
        except RedisError:
            return caches["database"].incr(key, delta, version)
