"""Addresses of the model owner's desk."""

from django.urls import path

from reviewqueue.web.science import (
    comparison,
    data_sets,
    drift,
    fairness,
    frames,
    known,
    labels,
    models,
    operating,
    recalibration,
    report,
    segments,
    steps,
    training,
    trust,
    value,
    views,
    what_if,
)

app_name = "science"
urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:slug>/", views.show, name="show"),
    path("<slug:slug>/draft/", views.draft, name="draft"),
    path("<slug:slug>/compare/", views.compare, name="compare"),
    path("<slug:slug>/recalibration/", recalibration.show, name="recalibration"),
    *(
        path(f"<slug:slug>/<int:no>/{step.replace('_', '-')}/", steps.take, {"step": step}, name=step)
        for step in steps.STEPS
    ),
    path("<slug:slug>/<int:no>/check/", known.check, name="check"),
    path("<slug:slug>/known/", known.show, name="known"),
    path("<slug:slug>/operating-point/", operating.show, name="operating"),
    path("<slug:slug>/segments/", segments.show, name="segments"),
    path("<slug:slug>/fairness/", fairness.show, name="fairness"),
    path("<slug:slug>/training/", training.index, name="training"),
    path("<slug:slug>/training/start/", training.start, name="start_training"),
    path("<slug:slug>/training/<int:run_id>/", training.show, name="training_run"),
    path("<slug:slug>/training/<int:run_id>/live/", training.live, name="training_live"),
    path("<slug:slug>/training/<int:run_id>/cancel/", training.cancel, name="cancel_training"),
    path("<slug:slug>/training/<int:run_id>/draft/", training.draft, name="draft_trained"),
    path("<slug:slug>/frames/", frames.index, name="frames"),
    path("<slug:slug>/frames/close/", frames.close, name="close_frame"),
    path("<slug:slug>/frames/<int:frame_id>/", frames.show, name="frame"),
    path("<slug:slug>/drift/", drift.show, name="drift"),
    path("<slug:slug>/trust/", trust.show, name="trust"),
    path("<slug:slug>/trust/proposals/", trust.answer, name="answer_proposal"),
    path("<slug:slug>/value/", value.show, name="value"),
    path("<slug:slug>/report/", report.show, name="report"),
    path("<slug:slug>/labels/", labels.index, name="labels"),
    path("<slug:slug>/labels/file/", labels.file, name="labels_file"),
    path("<slug:slug>/data-sets/", data_sets.index, name="data_sets"),
    path("<slug:slug>/data-sets/freeze/", data_sets.freeze, name="freeze"),
    path("<slug:slug>/data-sets/<str:data_set>/", data_sets.show, name="data_set"),
    path("<slug:slug>/data-sets/<str:data_set>/rows/", data_sets.rows, name="data_set_rows"),
    path("<slug:slug>/what-if/", what_if.show, name="what_if"),
    path("<slug:slug>/comparison/", comparison.show, name="comparison"),
    path("<slug:slug>/models/", models.index, name="models"),
    path("<slug:slug>/models/<str:name>/", models.show, name="model"),
    path("<slug:slug>/models/<str:name>/shadow/", models.start, name="start_shadow"),
    path("<slug:slug>/shadows/<int:shadow_id>/stop/", models.stop, name="stop_shadow"),
]
