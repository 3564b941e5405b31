# The service as an image. Both stages stand on one base: any image with Python 3.11+, venv and Debian's or
# Alpine's userland will do. In production, pin it by digest: --build-arg BASE_IMAGE=python@sha256:…
ARG BASE_IMAGE=python:3.13-slim-bookworm

FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements/runtime.lock requirements/build.lock requirements/
# Wheels only: nothing that is installed here runs code of its own at build time. The service's environment
# gets no pip; the build tools stay behind in theirs.
RUN python3 -m venv /opt/build \
    && python3 -m venv --without-pip /opt/otp-auth \
    && /opt/build/bin/pip install --only-binary=:all: --require-hashes -r requirements/build.lock \
    && /opt/build/bin/pip --python /opt/otp-auth/bin/python install --only-binary=:all: --require-hashes \
        -r requirements/runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY alembic alembic
COPY src src
RUN /opt/build/bin/hatchling build -t wheel -d dist \
    && /opt/build/bin/pip --python /opt/otp-auth/bin/python install --no-deps --no-index dist/*.whl

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="otp-auth" \
    org.opencontainers.image.description="Login by password and a code on the phone, delivered through Sinch" \
    org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/otp-auth/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /opt/otp-auth /opt/otp-auth
# Signing keys are looked for in `keys` under the working directory. An empty named volume mounted there takes
# over owner and mode; all else may be read-only.
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/otp-auth /var/lib/otp-auth/keys
WORKDIR /var/lib/otp-auth
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# http.client rather than urllib: a proxy in the environment has no say in this.
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=3); c.request('GET', '/health/live'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["otp-auth"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
