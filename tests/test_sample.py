"""The sample report of the repository is what a run writes today."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_sample_report_is_what_a_run_writes(tmp_path):
    command = [sys.executable, "-m", "chatconform", "run", "--recorded", "--fail-on", "never", "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    written = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    assert written == {file.name: file.read_bytes() for file in (ROOT / "reports" / "sample").iterdir()}
