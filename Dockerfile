# syntax=docker/dockerfile:1
# Builds the release binary and puts it, alone, into a small image that does not run as root.

FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /source
COPY . .
# The caches outlive a build, so only what changed is compiled again; the binary leaves them.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/source/target,sharing=locked \
    cargo build --release --locked --bin millrace && cp target/release/millrace /usr/local/bin/millrace

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /data --create-home millrace
COPY --from=build /usr/local/bin/millrace /usr/local/bin/millrace
COPY examples /usr/share/millrace/examples

USER millrace
WORKDIR /data
VOLUME /data
ENV MILLRACE__DATA__DIRECTORY=/data \
    MILLRACE__SERVER__HOST=0.0.0.0
EXPOSE 8080
# Bash opens the connection itself, so the image needs no HTTP client.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${MILLRACE__SERVER__PORT:-8080} && printf 'GET /health/live HTTP/1.0\\r\\n\\r\\n' >&3 && read -r line <&3 && [[ $line == *' 200 '* ]]"]
ENTRYPOINT ["millrace"]
CMD ["serve"]
