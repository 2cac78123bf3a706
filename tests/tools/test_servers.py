"""What tools/servers does without a server."""
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from serverlib import instance  # noqa: E402


class Slow(instance.Instance):
    """Runs, but answers only when asked for the third time."""
    asked = 0

    def alive(self):
        return True

    def ready(self):
        self.asked += 1
        return self.asked >= 3


class SecondStart(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        server = mock.Mock(version="1")
        server.name = "slow"
        self.slow = Slow(Path(self.folder.name), server)
        self.slow.stop = mock.Mock()
        self.slow.launch = mock.Mock()

    def test_of_a_slow_server_leaves_it_alone(self):
        self.assertFalse(self.slow.start(Path(self.folder.name)))
        self.slow.stop.assert_not_called()
        self.slow.launch.assert_not_called()

    def test_of_one_that_hangs_starts_it_anew(self):
        with mock.patch.object(instance, "SLOW_SECONDS", 0):
            self.assertTrue(self.slow.start(Path(self.folder.name)))
        self.slow.stop.assert_called_once()
        self.slow.launch.assert_called_once()


if __name__ == "__main__":
    unittest.main()
