"""Compile every template, so that a broken one shows before a person opens its page."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reviewqueue.settings")

import django  # noqa: E402 (found settings need the path first)
from django.template import TemplateSyntaxError  # noqa: E402
from django.template.loader import get_template  # noqa: E402


def main() -> int:
    """Return 1 and name the templates that do not compile."""
    django.setup()
    folder = ROOT / "templates"
    broken = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            get_template(str(path.relative_to(folder)))
        except TemplateSyntaxError as error:
            broken += 1
            sys.stdout.write(f"{path.relative_to(ROOT)}: {error}\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
