# SPDX-License-Identifier: Apache-2.0
import os

from conductor.client.automator.task_handler import TaskHandler
from conductor.client.configuration.configuration import Configuration
from conductor.client.worker.worker_task import worker_task


@worker_task(task_definition_name="resize", poll_interval_millis=200)
def resize(width: int) -> int:
    return width // 2


if __name__ == "__main__":
    where = Configuration(server_api_url=f"http://127.0.96.1:{os.environ['PORT']}/api")
    with TaskHandler(configuration=where, scan_for_annotated_workers=True) as handler:
        handler.start_processes()
        handler.join_processes()
