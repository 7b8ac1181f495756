# SPDX-License-Identifier: Apache-2.0
import os

from socketify import App

app = App()
app.get("/", lambda response, request: response.end("Hello"))
app.listen(int(os.environ["PORT"]), lambda config: print(config.port, flush=True))
app.run()  # <- runs
