# syntax=docker/dockerfile:1
# The shop's API and its migration; the context is `service/`. What it promises: docs/service-contract.md.
# README.md beside this file says how it is built; a release names the base by digest: --build-arg BASE=…@sha256:…
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /build
COPY requirements.lock ./
# Compiled here: a read-only root keeps no compiled module, and a pod has two seconds to be ready.
RUN python -m venv --without-pip /opt/shop \
    && python -m pip --python /opt/shop/bin/python install --no-cache-dir --no-compile --no-deps --require-hashes -r requirements.lock
COPY shop /opt/shop/app/shop
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/shop/app /opt/shop/lib
# AWS publishes no checksum of its authorities, so a person looks at a new bundle once and names it here for ever after.
ARG RDS_BUNDLE_SHA256
COPY docker/authorities.py docker/rds-global-bundle.pem ./
RUN /opt/shop/bin/python authorities.py rds-global-bundle.pem "${RDS_BUNDLE_SHA256}"

FROM ${BASE}
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="shop-backend" \
      org.opencontainers.image.description="The API of DhakaCart's shop" \
      org.opencontainers.image.source="https://github.com/dhakacart/platform" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/shop /opt/shop
COPY --from=build --chmod=0444 /build/rds-global-bundle.pem /etc/ssl/certs/rds-global-bundle.pem
# A container's own loopback is no use: the pod's address is served.
ENV PATH=/opt/shop/bin:$PATH \
    PYTHONPATH=/opt/shop/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SHOP_HOST=0.0.0.0
WORKDIR /tmp
USER 10001:10001
EXPOSE 8000 9000
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/shop/bin/python", "-m", "shop"]
CMD ["serve"]
