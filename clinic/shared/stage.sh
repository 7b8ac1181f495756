# SPDX-License-Identifier: Apache-2.0
# What the starts of cases have in common; sourced. clinic/stage.py says what is in the environment.
export PYTHONDONTWRITEBYTECODE=1
exec 3>&1 >output.log 2>&1 # what is started here writes to a file, and ready() to the runner

# up PORT [ADDRESS]: wait until something listens there.
up() {
  for _ in $(seq 300); do
    (exec 4<>"/dev/tcp/${2:-127.0.0.1}/$1") 2>/dev/null && return
    sleep 0.1
  done
  echo "nothing listens on port $1" >&2
  exit 1
}

# there FILE: wait until it exists.
there() {
  for _ in $(seq 300); do
    [ -e "$1" ] && return
    sleep 0.1
  done
  echo "no file $1" >&2
  exit 1
}

# ready PID...: tell whom to trace, and stay.
ready() {
  echo "PID $*" >&3
  wait
}

# until_true COMMAND...: wait until it succeeds.
until_true() {
  for _ in $(seq 300); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  echo "not within 30 s: $*" >&2
  exit 1
}
