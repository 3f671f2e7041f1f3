# Homeport with its own engines: everything it keeps is in the volume /data.

FROM python:3.12-slim AS build
COPY . /source
RUN python -m venv /opt/homeport \
 && /opt/homeport/bin/pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /source \
 && /opt/homeport/bin/pip install --no-cache-dir -c /source/constraints.txt /wheels/*.whl

FROM python:3.12-slim
# git fetches the repositories that Micros are deployed from; the image's own version is the one that is mended.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git \
 && rm -rf /var/lib/apt/lists/*
# A user with a number of its own, so that the volume belongs to nobody else on the host. PostgreSQL refuses to run as root.
RUN groupadd --gid 10800 homeport \
 && useradd --uid 10800 --gid 10800 --no-create-home --home-dir /data homeport \
 && install --directory --owner=homeport --mode=0700 /data
COPY --from=build /opt/homeport /opt/homeport
ENV PATH=/opt/homeport/bin:$PATH \
    HOMEPORT_DATA=/data \
    HOMEPORT_HOST=0.0.0.0
USER 10800:10800
WORKDIR /data
VOLUME /data
EXPOSE 8000 8443
HEALTHCHECK --start-period=60s --interval=30s --timeout=5s \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ.get('HOMEPORT_PORT', 8000)}/healthz\", timeout=4)"]
ENTRYPOINT ["homeport"]
CMD ["serve"]
