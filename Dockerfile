# syntax=docker/dockerfile:1

# The wheel and its dependencies are installed in one stage and copied into the other: no compiler, cache or source in the image.
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md CHANGELOG.md LICENSE ./
COPY assets assets
COPY calotype calotype
COPY metadata metadata
COPY server server
RUN python -m venv /opt/calotype && /opt/calotype/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Calotype" \
      org.opencontainers.image.description="A content-addressed asset service with a plain-file metadata store." \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/calotype /opt/calotype
# A number instead of a name: Kubernetes' runAsNonRoot and the owner of a mounted folder are compared by number.
RUN install -d -o 10001 -g 10001 -m 0700 /data
ENV PATH=/opt/calotype/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    CALOTYPE_HOST=0.0.0.0
USER 10001:10001
VOLUME /data
EXPOSE 8256
# The slim image has no curl. urllib raises, and so exits with 1, on anything but an answer below 400.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('CALOTYPE_PORT', '8256')}/healthz\", timeout=4)"]
# Exec form: signals reach the server, which finishes running uploads before it goes.
STOPSIGNAL SIGTERM
ENTRYPOINT ["calotype"]
CMD ["serve"]
