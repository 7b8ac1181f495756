#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Build dist/iotrace_VERSION_all.deb from this checkout's HEAD, and let lintian check it.
# One package for Debian 12 and later and Ubuntu 24.04 and later: it has no compiled part.
set -eu
cd "$(dirname "$0")/.."

fail() {
  printf 'deb: %s\n' "$*" >&2
  exit 1
}

missing=
for package in debhelper dh-python pybuild-plugin-pyproject python3-all python3-setuptools lintian; do
  dpkg-query -W -f '${db:Status-Status}\n' $package 2>/dev/null | grep -qx installed ||
    missing="$missing $package"
done
[ -z "$missing" ] ||
  fail "these packages are missing: sudo apt-get install --no-install-recommends$missing"

version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' iotrace/__init__.py)
grep -q "^## $version " CHANGELOG.md || fail "CHANGELOG.md has no section of version $version"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source=$work/iotrace-$version
mkdir "$source"
git archive HEAD | tar x -C "$source"
# Built, docs/sample and the tests are not part of it.
cp -r packaging/debian "$source/debian"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
maintainer=$(sed -n 's/^Maintainer: //p' packaging/debian/control)
cat >"$source/debian/changelog" <<END
iotrace ($version) unstable; urgency=medium

  * Version $version: see /usr/share/doc/iotrace/changelog.gz.

 -- $maintainer  $(date -R -u -d "@$SOURCE_DATE_EPOCH")
END
(
  cd "$source"
  # The distribution's Python, whatever comes first in PATH.
  PATH=/usr/sbin:/usr/bin:/sbin:/bin dpkg-buildpackage --build=binary --unsigned-source \
    --unsigned-changes
) >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  fail "dpkg-buildpackage failed"
}
lintian --allow-root --fail-on error,warning --suppress-tags bad-distribution-in-changes-file \
  "$work"/iotrace_*.changes || fail "lintian found something"
mkdir -p dist
rm -f dist/iotrace_*.deb
mv "$work"/iotrace_*_all.deb dist/
ls -l dist/iotrace_*_all.deb
