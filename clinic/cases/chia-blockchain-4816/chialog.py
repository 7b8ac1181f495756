# SPDX-License-Identifier: Apache-2.0
import logging

from concurrent_log_handler import ConcurrentRotatingFileHandler


def initialize_logging(service: str) -> logging.Logger:
    handler = ConcurrentRotatingFileHandler("debug.log", "a", maxBytes=20_000_000, backupCount=7)
    handler.setFormatter(logging.Formatter(f"%(asctime)s {service} %(name)s: %(message)s"))
    logger = logging.getLogger(service)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    return logger
