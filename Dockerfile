# Build: docker build -t handoff-sync .
# Health: GET /livez and /readyz of `run` and `web`; a worker has no port.
# Run:   docker run -p 8000:8000 -v handoff:/data handoff-sync            (everything in one process, SQLite)
#        docker run -e DATABASE_URL=... -e REDIS_URL=... handoff-sync web | worker | migrate   (production)
FROM python:3.11-slim-bookworm AS build
RUN pip install --no-cache-dir "uv>=0.8,<1"
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=/opt/handoff-sync
WORKDIR /src
# Dependencies first: they change less often than the sources, and this layer is the slow one.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-default-groups --no-install-project
COPY README.md LICENSE ./
COPY src src
COPY connectors connectors
COPY templates templates
RUN uv sync --frozen --no-default-groups --no-editable

FROM python:3.11-slim-bookworm
COPY --from=build /opt/handoff-sync /opt/handoff-sync
RUN install -d -o 10001 -g 10001 -m 0700 /data
ENV PATH=/opt/handoff-sync/bin:$PATH PYTHONUNBUFFERED=1 HANDOFF_DATA_DIR=/data HANDOFF_HOST=0.0.0.0 HANDOFF_LOG_FORMAT=json
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["handoff-sync"]
CMD ["run"]
