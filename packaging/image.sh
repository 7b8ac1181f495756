#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Build the container image iotrace:VERSION with podman; BASE names its base image.
set -eu
cd "$(dirname "$0")/.."
command -v podman >/dev/null || {
  echo "image: podman is missing: sudo apt-get install --no-install-recommends podman" >&2
  exit 1
}
packaging/deb.sh
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' iotrace/__init__.py)
# Without a cgroup of its own for each step: that works where podman itself is in a container.
podman build --isolation chroot --network host --file packaging/Containerfile \
  ${BASE:+--build-arg BASE="$BASE"} --tag "localhost/iotrace:$version" .
podman image inspect --format '{{.Size}} bytes' "localhost/iotrace:$version"
