# syntax=docker/dockerfile:1
# The service as a small image: two stages, locked dependencies, no root, no pip.
# tests/deploy/test_image.py runs these steps without Docker.

# The release of Python with which the tests run.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim-bookworm AS build
WORKDIR /src
RUN python -m venv --without-pip /opt/todo
# First what seldom changes: Docker keeps the result until the lock changes.
COPY requirements.lock requirements-build.lock ./
RUN python -m pip --python /opt/todo/bin/python install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r requirements.lock
RUN python -m pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r requirements-build.lock
COPY pyproject.toml setup.cfg MANIFEST.in README.md LICENSE gunicorn.conf.py wsgi.py ./
COPY migrations_sql migrations_sql
COPY todo_service todo_service
RUN python -m pip wheel --no-deps --no-index --no-build-isolation --wheel-dir dist .
RUN python -m pip --python /opt/todo/bin/python install --no-deps --no-index dist/*.whl

FROM python:${PYTHON}-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin todo
COPY --from=build /opt/todo /opt/todo
# The wheel has put gunicorn.conf.py and wsgi.py there.
WORKDIR /opt/todo/share/todo-service
ENV PATH=/opt/todo/bin:$PATH FLASK_APP=wsgi PYTHONUNBUFFERED=1
USER 10001
EXPOSE 7860
# /health touches nothing but the process. urllib would ask the proxy of HTTP_PROXY.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('PORT') or 7860), timeout=2); c.request('GET', '/health'); raise SystemExit(c.getresponse().status != 200)"]
CMD ["gunicorn", "wsgi:app"]
