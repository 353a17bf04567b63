"""Health check inside a container: `health.py web|worker|beat` exits 0 if that role works.

The web process is asked as the proxy in front of it would ask. Worker and beat touch a file while they work.
"""

import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

FRESH_SECONDS = {"worker": 30, "beat": 60}


def web_works() -> bool:
    """Tell whether the site can serve."""
    public = urlsplit(os.environ.get("PUBLIC_URL", "http://127.0.0.1:8000"))
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/readyz"
    headers = {"Host": public.netloc, "X-Forwarded-Proto": public.scheme}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(address, headers=headers), timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def is_fresh(role: str) -> bool:
    """Tell whether the role left a sign of life a short while ago."""
    sign = Path(os.environ["RUN_DIR"]) / "alive" / role
    try:
        return time.time() - sign.stat().st_mtime < FRESH_SECONDS[role]
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    asked = sys.argv[1]
    sys.exit(0 if (web_works() if asked == "web" else is_fresh(asked)) else 1)
