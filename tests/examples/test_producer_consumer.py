"""producer_consumer: everything sent arrives once, in order, and the select sees the timeout."""

import re
import unittest

import support


class ProducerConsumer(unittest.TestCase):
    def setUp(self):
        self.result = support.run("producer_consumer")
        self.lines = self.result.stdout.splitlines()
        self.assertEqual((self.result.returncode, self.result.stderr), (0, ""))

    def test_the_numbers_at_the_end_are_right(self):
        match = re.fullmatch(r"(\d+) readings, (\d+) alarms, (\d+) stored, (\d+) quiet spells",
                             self.lines[-1])
        self.assertIsNotNone(match, self.lines[-1])
        readings, alarms, stored, quiet = map(int, match.groups())
        self.assertEqual((readings, alarms, stored), (6, 2, 8))
        # The last reading comes 200 ms after the one before, and 50 ms count as quiet.
        self.assertGreaterEqual(quiet, 1)
        self.assertEqual(quiet, self.lines.count("monitor: nothing for 50 ms"))

    def test_every_message_is_stored_once_and_each_producer_in_order(self):
        stored = [re.search('stored "(.*)"', line).group(1) for line in self.lines
                  if "stored" in line and "archivist" in line]
        self.assertEqual([text for text in stored if text.endswith(" C")],
                         ["20.5 C", "20.6 C", "20.9 C", "21.3 C", "21.2 C", "21.0 C"])
        self.assertEqual([text for text in stored if text.startswith("door")],
                         ["door opened", "door closed"])

    def test_both_consumers_get_their_share(self):
        for number in (1, 2):
            share = [line for line in self.lines if line.startswith("archivist %d: " % number)]
            self.assertEqual(len(share), 4)


if __name__ == "__main__":
    support.main()
