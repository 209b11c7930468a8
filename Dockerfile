# kosmos in a container: `docker build .` for downloading and filtering, `docker build --target torch .` for everything.
FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake nasm python3-pip && rm -rf /var/lib/apt/lists/*
WORKDIR /kosmos
COPY . .

FROM build AS light-build
RUN cargo build --release --locked --package kosmos --no-default-features --features libjpeg-turbo

FROM build AS torch-build
RUN setup/setup.sh .libtorch && \
    LIBTORCH=/kosmos/.libtorch/torch cargo build --release --locked --package kosmos --features libjpeg-turbo

FROM debian:bookworm-slim AS base
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libgomp1 && rm -rf /var/lib/apt/lists/*
WORKDIR /data
ENTRYPOINT ["kosmos"]

FROM base AS torch
COPY --from=torch-build /kosmos/.libtorch/torch/lib /kosmos/.libtorch/torch/lib
COPY --from=torch-build /kosmos/target/release/kosmos /kosmos/target/release/kosmos-torch /usr/local/bin/

FROM base AS light
COPY --from=light-build /kosmos/target/release/kosmos /usr/local/bin/
