import os

import requests
from gevent.pywsgi import WSGIServer

PORT = int(os.environ["PORT"])


def app(environ, start_response):
    said = requests.get(f"http://127.0.7.2:{PORT + 1}/").content  # <- cause
    start_response("200 OK", [("Content-Length", str(len(said)))])
    return [said]


WSGIServer(("127.0.0.1", PORT), app, log=None).serve_forever()
