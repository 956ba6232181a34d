# Two stages: the first has pip, the build backend and a C compiler, the second only Python, the
# locked packages and tidegate, with the rooms that every call passes through compiled. The result
# runs as a numeric user and writes nowhere, so start it with a read-only root:
# docker run --read-only -v ./tidegate.yaml:/etc/tidegate/tidegate.yaml:ro IMAGE

FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src
COPY requirements/build.lock requirements/run.lock requirements/
RUN pip install --require-hashes -r requirements/build.lock \
    && python -m venv --without-pip /opt/tidegate \
    && pip --python /opt/tidegate/bin/python install --require-hashes -r requirements/run.lock
COPY requirements/compile.lock requirements/
# The compiler only makes what is copied; its version is the base image's.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/* \
    && pip install --require-hashes -r requirements/compile.lock
COPY LICENSE README.md pyproject.toml ./
COPY proxy proxy
COPY config/partners config/partners
RUN pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheels . \
    && pip --python /opt/tidegate/bin/python install --no-deps --no-index /wheels/*.whl
COPY tools tools
# Between its two builds it runs the sidecar, with the packages that the image has.
# Copied with its times: the byte code beside it stays valid. -P: not the sources of this folder.
RUN python -m tools.compile --train-with /opt/tidegate/bin/python /compiled \
    && cp -a /compiled/proxy /compiled/*.so /opt/tidegate/lib/python3.11/site-packages/ \
    && /opt/tidegate/bin/python -P -c "from proxy.built import form; assert form() == 'compiled'"

FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="tidegate" org.opencontainers.image.licenses="Apache-2.0"
# No bytecode is written at run time (the root file system is read-only), and log lines leave at once.
ENV PATH=/opt/tidegate/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /opt/tidegate /opt/tidegate
USER 65532:65532
WORKDIR /
# The payment port stays on loopback: in a pod, containers share it. Only the signal ends the process.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["tidegate", "status", "--admin", "http://127.0.0.1:8081"]
ENTRYPOINT ["tidegate"]
CMD ["run", "--config", "/etc/tidegate/tidegate.yaml"]
