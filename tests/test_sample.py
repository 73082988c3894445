"""The sample report of the repository is what a run writes today, but for the digest of the rules it was made by."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "reports" / "sample"


def test_the_sample_report_is_what_a_run_writes(tmp_path):
    command = [sys.executable, "-m", "chatconform", "run", "--recorded", "--fail-on", "never", "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    written = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    made_by, today = (
        json.loads((folder / "results.json").read_bytes())["run"]["rules"] for folder in (SAMPLE, tmp_path)
    )
    written = {name: data.replace(today.encode(), made_by.encode()) for name, data in written.items()}

    assert written == {file.name: file.read_bytes() for file in SAMPLE.iterdir()}
