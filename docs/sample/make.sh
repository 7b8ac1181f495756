#!/bin/sh
# Makes docs/sample/report.txt anew, and with it the sample in README.md:
# uvicorn with app.py, under load from wrk, traced for five seconds. Needs root and wrk.
set -eu
cd "$(dirname "$0")"
made=$(mktemp -d)
trap 'kill $neighbour $server $load 2>/dev/null || true; rm -rf "$made"' EXIT
neighbour= server= load=

../../.venv/bin/python -m venv "$made/venv"
PATH="$made/venv/bin:$PATH"
pip install --quiet --disable-pip-version-check uvicorn

python neighbour.py >"$made/port" &
neighbour=$!
until [ -s "$made/port" ]; do sleep 0.1; done
SLOW_NEIGHBOUR="http://127.0.0.1:$(cat "$made/port")/"
export SLOW_NEIGHBOUR

python -m uvicorn app:app --port 8000 --loop asyncio --no-access-log >"$made/log" 2>&1 &
server=$!
until grep -q 'running on' "$made/log"; do sleep 0.1; done

wrk --threads 1 --connections 16 --duration 20s http://127.0.0.1:8000/ >/dev/null &
load=$!
sleep 2
../../.venv/bin/iotrace attach "$server" --duration 5 >report.txt
python readme.py
