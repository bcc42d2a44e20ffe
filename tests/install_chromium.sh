#!/bin/sh
# Makes sure there is a Chromium for the browser tests: one that is there, the system's package,
# or Playwright's own build, in that order.
set -u
python=${1:-python3}
for name in chromium-headless-shell chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then as_root=; else as_root="sudo -n"; fi
    $as_root apt-get update -qq
    for package in chromium-headless-shell chromium; do
        $as_root apt-get install -y -qq --no-install-recommends $package >/dev/null && exit 0
    done
fi
exec "$python" -m playwright install --with-deps chromium
