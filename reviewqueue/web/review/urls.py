"""Addresses of the reviewer's desk."""

from django.urls import path

from reviewqueue.web.review import mine, views

app_name = "review"
urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:slug>/", views.show, name="show"),
    path("<slug:slug>/mine/", mine.show, name="mine"),
    path("<slug:slug>/adjudications/", mine.adjudications, name="adjudications"),
    path("<slug:slug>/state/", views.state, name="state"),
    path("<slug:slug>/held/", views.held, name="held"),
    path("<slug:slug>/next/", views.take_next, name="next"),
    path("<slug:slug>/leave/", views.leave, name="leave"),
    path("<slug:slug>/decisions/<int:decision_id>/undo/", views.undo, name="undo"),
    path("<slug:slug>/tasks/<int:task_id>/decide/", views.answer, name="decide"),
    path("<slug:slug>/tasks/<int:task_id>/extend/", views.extend, name="extend"),
    path("<slug:slug>/tasks/<int:task_id>/resume/", views.resume, name="resume"),
    *(
        path(f"<slug:slug>/tasks/<int:task_id>/{how}/", views.leave_task, {"how": how}, name=how)
        for how in ("release", "skip", "hold", "escalate")
    ),
]
