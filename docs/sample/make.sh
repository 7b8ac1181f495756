#!/bin/sh
# Makes docs/sample/report.txt anew, and with it the sample in README.md: uvicorn with app.py, under
# load from load.py, traced for five seconds. Needs root, and what `.ci/setup tests` installs.
set -eu
cd "$(dirname "$0")"
made=$(mktemp -d)
trap 'kill $neighbour $server $load 2>/dev/null || true; rm -rf "$made"' EXIT
neighbour= server= load=
PATH="$(cd ../../.venv/bin && pwd):$PATH"

python -c 'import uvicorn' || { echo "first: .ci/setup tests" >&2; exit 1; }

python neighbour.py >"$made/port" &
neighbour=$!
until [ -s "$made/port" ]; do sleep 0.1; done
SLOW_NEIGHBOUR="http://127.0.0.1:$(cat "$made/port")/"
export SLOW_NEIGHBOUR

: >"$made/log"
python -m uvicorn app:app --port 8000 --loop asyncio --no-access-log >"$made/log" 2>&1 &
server=$!
until grep -q 'running on' "$made/log"; do
  kill -0 "$server" 2>/dev/null || { cat "$made/log" >&2; exit 1; }
  sleep 0.1
done

python load.py 8000 &
load=$!
sleep 2
iotrace attach "$server" --duration 5 >report.txt
python readme.py
