"""A `make run` of a few small programs, for tests: `small_run RUN_DIR PORT [NAME OF AN UNWILLING CHILD]`."""

import sys
from pathlib import Path

from reviewqueue.embedded import run
from reviewqueue.embedded.children import Child, Options, Plan, Step

SITE = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
time.sleep(600)
"""


def python(code: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *arguments)


def small_plan(port: str, *unwilling: str) -> Plan:
    return Plan(
        tables=Step("A step", Child("step", python("print('in its log')"))),
        preparation=Step("Words for the terminal", Child("words", python("print('shown')")), on_terminal=True),
        children=(
            Child("web", python(SITE, port)),
            *(Child(name, python(STUBBORN)) for name in unwilling),
            Child("once", python("print('done')")),
        ),
    )


if __name__ == "__main__":
    folder, number, *names = sys.argv[1:]
    sys.exit(run.run(Options(port=int(number), rate=0, reviewers=0), Path(folder), small_plan(number, *names)))
