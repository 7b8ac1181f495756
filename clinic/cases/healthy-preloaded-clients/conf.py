# SPDX-License-Identifier: Apache-2.0
preload_app = True
workers = 2
threads = 4


def post_fork(server, worker):
    from app import engine

    engine.dispose(close=False)
