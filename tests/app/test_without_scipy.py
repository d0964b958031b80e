"""The app runs on what it asks for, without libraries that only tests and the private side need."""

import subprocess
import sys

from tests.conftest import ROOT
from tests.unit.test_lock import pins


def test_the_app_asks_for_no_scipy():
    """Some 140 MB for one quantile."""
    assert "scipy" not in pins(ROOT / "lock/app.txt")
    script = (
        "import sys\nclass No:\n    def find_spec(self, name, *_):\n"
        "        if name.split('.')[0] == 'scipy': raise ImportError(name)\n"
        "sys.meta_path.insert(0, No())\n"
        "import dashboard.app.service, dashboard.app.guard, dashboard.site.static\n"
        "import dashboard.app.navigation, tests.paper\n"
        "from dashboard.release.reader import load_release\n"
        "from tests.paper import page_of\nfrom dashboard.page.pages_list import PAGES\n"
        "release = load_release(__import__('pathlib').Path('data_public'))\n"
        "for page in PAGES: page_of(release, page)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
