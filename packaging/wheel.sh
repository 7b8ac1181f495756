#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Build dist/iotrace-VERSION-py3-none-any.whl from this checkout's HEAD, without a network.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git archive HEAD | tar x -C "$work"
mkdir -p dist
rm -f dist/iotrace-*.whl
.venv/bin/python -m pip --disable-pip-version-check --quiet wheel --no-deps --no-index \
  --no-build-isolation --wheel-dir dist "$work"
ls -l dist/iotrace-*.whl
