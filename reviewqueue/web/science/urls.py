"""Addresses of the model owner's desk."""

from django.urls import path

from reviewqueue.web.science import operating, views, what_if

app_name = "science"
urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:slug>/", views.show, name="show"),
    path("<slug:slug>/draft/", views.draft, name="draft"),
    path("<slug:slug>/<int:no>/publish/", views.publish, name="publish"),
    path("<slug:slug>/<int:no>/roll-back/", views.roll_back, name="roll_back"),
    path("<slug:slug>/operating-point/", operating.show, name="operating"),
    path("<slug:slug>/what-if/", what_if.show, name="what_if"),
]
