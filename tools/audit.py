"""Check the locked dependencies for known vulnerabilities, with pip-audit in a place of its own.

Exit code 0: none known, or not checked, which is said in capitals; 1: some are known. pip-audit
brings twenty libraries that nothing else needs, so it is no dependency of drp: it is installed into
`.venv/audit` when it is first wanted, and never into the environment that is checked.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / ".venv" / "audit"
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
WANTED = "pip-audit>=2.9,<3"
TIMEOUT_S = 180


def find_auditor() -> Path | None:
    """Give pip-audit, installing it if there is a network; None if it cannot be had."""
    auditor = PLACE / "bin" / "pip-audit"
    if not auditor.is_file():
        made = run([sys.executable, "-m", "venv", str(PLACE)])
        install = [str(PLACE / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        if made.returncode or run([*install, "--disable-pip-version-check", WANTED]).returncode:
            return None
    return auditor


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        return subprocess.CompletedProcess(command, 99, "", str(fault))


def audit(auditor: Path, lock: Path) -> tuple[int, str]:
    """Check one file of locked versions.

    pip-audit ends with 1 both if it finds something and if it cannot ask; only in the first case
    does it print a table of what it found.
    """
    options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    done = run([str(auditor), *options, "--requirement", str(lock)])
    if done.returncode == 0:
        return 0, f"{lock.name}: no known vulnerability"
    if done.stdout.startswith("Name"):
        return 1, f"{lock.name}: KNOWN VULNERABILITIES\n{done.stdout}"
    reason = done.stderr.strip().splitlines()[-1:] or ["no answer"]
    return 0, f"{lock.name}: VULNERABILITIES NOT CHECKED ({reason[0][:200]})"


def main() -> int:
    auditor = find_auditor()
    if auditor is None:
        print("VULNERABILITIES NOT CHECKED (pip-audit cannot be installed: no network?)")
        return 0
    results = [audit(auditor, lock) for lock in LOCKS]
    for _, words in results:
        print(words)
    return max(code for code, _ in results)


if __name__ == "__main__":
    sys.exit(main())
