"""Answers to a poll that say "as before" when nothing changed."""

from collections.abc import Callable
from functools import wraps
from hashlib import blake2b
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def unchanged_is_304(view: View[P]) -> View[P]:
    """Give a view's answer an ETag of its content, and 304 to whoever has it already."""

    @wraps(view)
    def inner(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        etag = quote_etag(blake2b(response.content, digest_size=12).hexdigest())
        response["ETag"] = etag
        patch_cache_control(response, private=True, no_cache=True)
        answer = get_conditional_response(request, etag=etag, response=response)
        assert isinstance(answer, HttpResponse)  # the one it was given, or a 304 in its place
        return answer

    return inner
