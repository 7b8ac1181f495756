# SPDX-License-Identifier: Apache-2.0
# Redis, PostgreSQL and MariaDB of a case's own, on 127.0.0.1; sourced after stage.sh.

# redis PORT: as nobody.
redis() {
  setpriv --reuid nobody --regid nogroup --clear-groups redis-server --bind 127.0.0.1 \
    --port "$1" --save "" --appendonly no &
  up "$1"
}

# postgres PORT: as its own user, in $WORK/data, where its unix socket is, too.
postgres() {
  local bin data=$WORK/data
  bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
  mkdir "$data"
  chown postgres "$data"
  as_postgres "$bin/initdb" -A trust -N -D "$data"
  as_postgres "$bin/postgres" -D "$data" -p "$1" -k "$data" -c listen_addresses=127.0.0.1 \
    -c max_connections=60 -c shared_buffers=16MB -c fsync=off &
  until_true "$bin/pg_isready" -q -h 127.0.0.1 -p "$1"
}

as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }

# mariadb PORT: as its own user, in $WORK/tables; who connects may do all.
mariadb() {
  local data=$WORK/tables
  mkdir "$data"
  chown mysql "$data"
  setpriv --reuid mysql --regid mysql --clear-groups mariadb-install-db --no-defaults \
    --datadir="$data" --skip-test-db
  setpriv --reuid mysql --regid mysql --clear-groups mariadbd --no-defaults --datadir="$data" \
    --socket="$data/socket" --pid-file="$data/pid" --bind-address=127.0.0.1 --port="$1" \
    --innodb-buffer-pool-size=16M --skip-grant-tables &
  up "$1"
}
