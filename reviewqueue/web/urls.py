"""The pages, by workplace."""

from django.urls import include, path

from reviewqueue.web import home

urlpatterns = [
    path("", home.home, name="home"),
    path("language/", include("django.conf.urls.i18n")),
    path("review/", include("reviewqueue.web.review.urls")),
    path("floor/", include("reviewqueue.web.floor.urls")),
    path("audit/", include("reviewqueue.web.audit.urls")),
    path("policy/", include("reviewqueue.web.science.urls")),
    path("access/", include("reviewqueue.web.access.urls")),
    path("me/", include("reviewqueue.web.account.urls")),
]
