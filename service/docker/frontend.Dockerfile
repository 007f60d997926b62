# syntax=docker/dockerfile:1
# The shop's pages, served by nginx; the context is `service/`. What it promises: docs/service-contract.md.
# A release names both bases by digest: --build-arg BASE=…@sha256:… --build-arg BUILD_BASE=…@sha256:…
ARG BASE=docker.io/library/nginx:1.28-alpine
ARG BUILD_BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BUILD_BASE} AS build
WORKDIR /build
COPY shop/texts shop/texts
COPY web web
RUN python web/build.py

FROM ${BASE}
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="shop-frontend" \
      org.opencontainers.image.description="The pages of DhakaCart's shop" \
      org.opencontainers.image.source="https://github.com/dhakacart/platform" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY nginx /opt/shop/nginx
COPY --from=build /build/web/dist /srv/pages
WORKDIR /tmp
USER 10001:10001
EXPOSE 8080 9000
# nginx drains on SIGQUIT; on SIGTERM it would cut what is in flight.
STOPSIGNAL SIGQUIT
ENTRYPOINT ["/bin/sh", "/opt/shop/nginx/entrypoint.sh"]
CMD []
