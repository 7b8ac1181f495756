# SPDX-License-Identifier: Apache-2.0
# In a network namespace of its own: a service that is taken away without a word.
ip link set lo up
until ip addr add 10.77.3.2/24 dev there 2>>wait.log; do sleep 0.1; done
ip link set there address 02:00:00:00:03:02 up
exec $PY upstream.py 10.77.3.2 8000 0.05
