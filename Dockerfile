# Builds the Debian package, then installs it on a bare Debian: the same files, user and folders as
# on any other machine.
#   docker build -t caes-sync .
#   docker run -v "$PWD/config.yaml:/etc/caes-sync/config.yaml:ro" -v caes-sync:/var/lib/caes-sync caes-sync
FROM debian:bookworm-slim AS build
WORKDIR /source
COPY packaging/debian/control debian/control
# Debian stable changes its packages only to mend them: no versions are pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential \
    && apt-get build-dep -y --no-install-recommends ./ \
    && rm -rf /var/lib/apt/lists/*
COPY . .
RUN packaging/build-deb && rm build/deb/caes-sync-dbgsym_*

FROM debian:bookworm-slim
# A number, so that Kubernetes can tell that it is not root.
RUN useradd --system --uid 986 --home-dir /var/lib/caes-sync caes-sync
COPY --from=build /source/build/deb/caes-sync_*.deb /tmp/
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates /tmp/caes-sync_*.deb \
    && rm -rf /var/lib/apt/lists/* /tmp/caes-sync_*.deb
USER 986:986
VOLUME /var/lib/caes-sync
# "start" and "stop" have no use here: the container is the daemon.
ENTRYPOINT ["caes-sync"]
CMD ["run"]
