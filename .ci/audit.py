"""`make audit`: are weaknesses known of the packages in `constraints.txt`? It asks the package index, so it needs a network.

Arguments go on to pip-audit, such as `--ignore-vuln ID`. Ends with 0 when none is known, 1 when some are, and 2 when nobody could
be asked, which it says.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOBODY_ASKED = 2


def main() -> int:
    """Run pip-audit, and say in words what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.json"
        # The versions are those that are pinned, not what happens to be installed here.
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(ROOT / "constraints.txt"), "--no-deps"]
        command += ["--disable-pip", "--progress-spinner", "off", "--format", "json", "--output", str(found)]
        done = subprocess.run([*command, *sys.argv[1:]], capture_output=True, text=True)
        if not found.exists() or not (text := found.read_text().strip()):
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            print(f"The versions were not checked: pip-audit could not ask the package index ({last[:200]}).")
            print("That needs a network. Nothing is known now about the packages, neither good nor bad.")
            return NOBODY_ASKED
    packages = json.loads(text)["dependencies"]
    weak = [(package, weakness) for package in packages for weakness in package.get("vulns", [])]
    for package, weakness in weak:
        mended = ", ".join(weakness["fix_versions"]) or "none yet"
        print(f"{package['name']} {package['version']}: {weakness['id']}, mended in {mended}")
    for package in packages:
        if "skip_reason" in package:
            print(f"{package['name']} was not checked: {package['skip_reason']}")
    print(f"{len(packages)} packages, {len(weak)} known weaknesses.")
    return 1 if weak else 0


if __name__ == "__main__":
    sys.exit(main())
