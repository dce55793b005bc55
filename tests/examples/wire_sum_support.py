"""What the tests of wire-sum share: running it inside the test's folder, and the other opinion."""

import os
import re
import subprocess

import support

WIRE_SUM = support.program("wire-sum")


def sha256sum(paths, cwd):
    """What sha256sum prints for the paths, in this order."""
    result = subprocess.run(["xargs", "-0", "-r", "sha256sum", "--"], cwd=cwd, check=True,
                            input=b"".join(path + b"\0" for path in paths), capture_output=True)
    return result.stdout


def regular_files(folder, cwd):
    """The paths of the regular files in a folder, byte by byte in order."""
    found = subprocess.run(["find", folder, "-type", "f", "-print0"], cwd=cwd, check=True,
                           capture_output=True).stdout
    return sorted(found.split(b"\0")[:-1])


def status_of(pid, field):
    with open("/proc/%d/status" % pid) as status:
        return re.search(r"^%s:\s*(\S+)" % field, status.read(), re.MULTILINE).group(1)


def open_files(pid):
    """What the descriptors of a process refer to; some may go away meanwhile."""
    folder = "/proc/%d/fd/" % pid
    targets = []
    for name in os.listdir(folder):
        try:
            targets.append(os.readlink(folder + name))
        except FileNotFoundError:
            pass
    return targets


class WireSumTest(support.ExampleTest):
    def put(self, path, content=b""):
        return self.write(os.fsdecode(path), content)

    def make_fifo(self, path):
        os.mkfifo(os.path.join(self.folder, path))

    def run_it(self, *arguments, **options):
        """Returns (status, stdout, stderr) as bytes, run inside the test's folder."""
        options.setdefault("stdout", subprocess.PIPE)
        result = subprocess.run([WIRE_SUM, *arguments], stderr=subprocess.PIPE, cwd=self.folder,
                                timeout=support.PATIENCE, **options)
        return result.returncode, result.stdout, result.stderr

    def start_it(self, *arguments, **options):
        process = subprocess.Popen([WIRE_SUM, *arguments], cwd=self.folder, **options)

        def end():
            if process.poll() is None:
                process.kill()
            process.communicate()

        self.addCleanup(end)
        return process

    def assert_agrees(self, *arguments, folder="."):
        status, output, errors = self.run_it(*arguments, folder)
        self.assertEqual((status, errors), (0, b""))
        expected = sha256sum(regular_files(folder, self.folder), self.folder)
        self.assertEqual(output, expected)
        return output
