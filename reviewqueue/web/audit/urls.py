"""Addresses of the auditor's desk."""

from django.urls import path

from reviewqueue.web.audit import views

app_name = "audit"
urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:slug>/", views.show, name="show"),
    path("<slug:slug>/actions/", views.actions, name="actions"),
]
