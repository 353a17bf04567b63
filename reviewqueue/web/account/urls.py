"""Addresses of one's own settings."""

from django.urls import path

from reviewqueue.web.account import views

app_name = "account"
urlpatterns = [path("keys/", views.keys, name="keys")]
