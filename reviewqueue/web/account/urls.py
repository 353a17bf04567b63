"""Addresses of one's own settings."""

from django.urls import path

from reviewqueue.web.account import views, work

app_name = "account"
urlpatterns = [
    path("keys/", views.keys, name="keys"),
    path("work/", work.show, name="work"),
    path("work/zone/", work.zone, name="zone"),
    path("work/<slug:slug>/absences/", work.enter_absence, name="enter_absence"),
    path("work/<slug:slug>/absences/<int:absence_id>/remove/", work.remove_absence, name="remove_absence"),
    path("work/<slug:slug>/opt-outs/", work.opt_out, name="opt_out"),
    path("work/<slug:slug>/exclusions/", work.exclude, name="exclude"),
]
