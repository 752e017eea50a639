"""Makes the gallery in reports/: runs every scenario, keeps what it found as JSON, and renders it as Markdown.

    python benchmarks/gallery.py                       every scenario, in full: most of an hour
    python benchmarks/gallery.py haproxy-compression   this one
    python benchmarks/gallery.py --render              nothing is run; the Markdown is made again of the JSON

Beside the files stands made.json: the commit whose scenario and cannon made each. The command is in the file itself.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import msgspec

from cannon.catalogue import shipped
from cannon.comparison import Comparison
from cannon.reports import comparison_markdown, result_markdown
from cannon.result import Result

__all__ = ["MADE", "ROOT", "commits", "names", "rendered"]

ROOT = Path(__file__).resolve().parent.parent / "reports"
MADE = ROOT / "made.json"
_TEMPLATE = "template"
_COMPARISON = "cannon/comparison/"


def names() -> list[str]:
    """The scenarios that are shown: all that ask something."""
    return [name for name in shipped() if name != _TEMPLATE]


def commits() -> dict[str, str]:
    """By scenario, the commit that its files were made with."""
    return json.loads(MADE.read_text()) if MADE.exists() else {}


def rendered(name: str) -> str:
    """The Markdown of one scenario, of its JSON alone."""
    data = (ROOT / f"{name}.json").read_bytes()
    notes = [f"at the commit {commits()[name][:12]}"]
    if msgspec.json.decode(data)["schema"].startswith(_COMPARISON):
        return comparison_markdown.render(Comparison.from_json(data), notes)
    return result_markdown.render(Result.from_json(data), notes)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--render", action="store_true")
    given = parser.parse_args()
    failed = []
    for name in given.names or names():
        if not given.render and not _made(name):
            failed.append(name)
            continue
        (ROOT / f"{name}.md").write_text(rendered(name))
    if failed:
        print(f"did not end well, and stand as they were: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _made(name: str) -> bool:
    """Run one scenario; what does not end well changes nothing."""
    output = ROOT / f"{name}.json"
    before = output.read_bytes() if output.exists() else None
    words = ["scenario", "run", name, "-o", str(output.relative_to(ROOT.parent))]
    print(f"$ cannon {' '.join(words)}", flush=True)
    # -P: the cannon that is installed, compiled or not, and not the tree.
    done = subprocess.run([sys.executable, "-P", "-m", "cannon", *words], cwd=ROOT.parent, check=False)
    if done.returncode:
        if before is None:
            output.unlink(missing_ok=True)
        else:
            output.write_bytes(before)
        return False
    git = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    head = subprocess.run(git, capture_output=True, text=True, check=True)
    MADE.write_text(json.dumps({**commits(), name: head.stdout.strip()}, indent=2, sort_keys=True) + "\n")
    return True


if __name__ == "__main__":
    sys.exit(main())
