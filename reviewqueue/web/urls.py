"""The pages, by workplace."""

from django.urls import path

from reviewqueue.web import home

urlpatterns = [
    path("", home.home, name="home"),
]
