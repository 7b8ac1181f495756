# SPDX-License-Identifier: Apache-2.0
n=0
while :; do
  n=$((n + 1))
  echo "line $n" >"part-$((n % 10))"
  $PY put.py "part-$((n % 10))"
done
