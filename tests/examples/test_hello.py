"""hello: wires take turns in the order of their creation."""

import unittest

import support


class Hello(unittest.TestCase):
    def test_three_wires_take_turns(self):
        result = support.run("hello", "2")
        names = ("anna", "ben", "carla")
        expected = ["%s: turn %d of 2" % (name, turn) for turn in (1, 2) for name in names]
        expected += ["%s: done" % name for name in names]
        self.assertEqual(result.stdout.splitlines(), expected)
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_default_is_three_turns(self):
        result = support.run("hello")
        self.assertEqual(len(result.stdout.splitlines()), 12)
        self.assertEqual(result.returncode, 0)

    def test_wrong_usage_is_reported(self):
        for arguments in (["x"], ["-1"], ["1", "2"], [""], ["99999999999999999999"]):
            result = support.run("hello", *arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
            self.assertIn("usage", result.stderr)

    def test_output_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "w") as full:
            result = support.subprocess.run([support.program("hello")], stdout=full,
                                            stderr=support.subprocess.PIPE, text=True,
                                            timeout=support.PATIENCE)
        self.assertEqual(result.returncode, 1)
        self.assertIn("No space left", result.stderr)


if __name__ == "__main__":
    support.main()
