# SPDX-License-Identifier: Apache-2.0
while :; do
  $PY -m celery -A tasks worker -l WARNING -c 1 -P prefork --without-gossip --without-mingle
  sleep 0.5
done
