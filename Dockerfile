# `jit serve` in a container. docs/operations.md says how to run it.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 UV_NO_PROGRESS=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /source
RUN python -m venv /opt/jit && python -m venv /opt/uv && /opt/uv/bin/pip install --quiet --no-cache-dir uv==0.13.9
COPY requirements.lock ./
RUN /opt/uv/bin/uv pip install --no-cache --compile-bytecode --require-hashes -r requirements.lock --python /opt/jit/bin/python
COPY . ./
RUN /opt/uv/bin/uv build --no-cache --wheel --require-hashes --build-constraints requirements-dev.lock --python /opt/jit/bin/python --out-dir /wheel \
  && /opt/uv/bin/uv pip install --no-cache --compile-bytecode --no-deps /wheel/*.whl --python /opt/jit/bin/python
WORKDIR /
RUN /opt/jit/bin/python -m tools.compile_ahead

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --user-group --create-home --home-dir /state --shell /usr/sbin/nologin jit
COPY --from=build /opt/jit /opt/jit
ENV PATH=/opt/jit/bin:$PATH PYTHONUNBUFFERED=1 JIT_HOME=/state/home JIT_HOST=0.0.0.0 JIT_PORT=8080
USER 10001:10001
WORKDIR /state
VOLUME /state
EXPOSE 8080
STOPSIGNAL SIGINT
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"JIT_PORT\"]}/api/health', timeout=4)"]
CMD ["jit", "serve"]
