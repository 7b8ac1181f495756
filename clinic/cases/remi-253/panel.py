# SPDX-License-Identifier: Apache-2.0
import os
import time

import remi.gui as gui
from remi import App, start


class Panel(App):
    def main(self):
        self.values = gui.Label("")
        return self.values

    def idle(self):
        self.values.set_text(f"{time.time()} " + "0123456789 " * 3000)


start(
    Panel,
    address="127.0.0.1",
    port=int(os.environ["PORT"]),
    multiple_instance=False,
    start_browser=False,
    update_interval=0.05,
)
