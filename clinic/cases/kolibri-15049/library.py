# SPDX-License-Identifier: Apache-2.0
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from kolibri.utils.file_transfer import RemoteFile

STUDIO = f"http://127.0.114.1:{int(os.environ['PORT']) + 1}"


class Proxy(BaseHTTPRequestHandler):
    """Files of another library, kept on the disk as they are shown; as FileResponse, in blocks."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.path.strip("/")
        file = RemoteFile(f"card/{name}", f"{STUDIO}/{name}")
        self.send_response(200)
        self.send_header("Content-Length", str(file.get_file_size()))  # <- reads
        self.end_headers()
        while block := file.read(4096):  # <- reads
            self.wfile.write(block)
        file.close()


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Proxy).serve_forever()
