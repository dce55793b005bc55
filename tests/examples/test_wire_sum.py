"""wire-sum: the same lines as sha256sum in the order of the paths, whatever is in the tree."""

import ctypes
import hashlib
import os
import signal
import socket
import subprocess

import support
from wire_sum_support import WireSumTest, open_files, regular_files, sha256sum, status_of

ODD_NAMES = [b"back\\slash", b"new\nline", b"\\", b"\n", b" blank ", b"*star", b"-dash", b"-",
             b"'quote\"", b"\x01\xff\xfe", "\u00e4\u4e2d".encode(), b"tab\t", b"\\n", b"n" * 255]
# A folder's content comes after what sorts before its slash: a-b, a.c, a/x, a0.
NEIGHBOURS = [b"a/x", b"a/w/y/z", b"a-b", b"a.c", b"a0", b"aa/x"]


def drop_privileges_of_root():
    """Takes from root what lets it read any file; others have nothing to lose."""
    drop_from_bounding_set, dac_override, dac_read_search = 24, 1, 2
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in dac_override, dac_read_search:
            if libc.prctl(drop_from_bounding_set, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")


class Agrees(WireSumTest):
    def make_tree(self):
        for number, name in enumerate(ODD_NAMES):
            self.put(b"odd/" + name, b"content %d" % number)
            self.put(b"odd/folders/" + name + b"/" + name, name)
        for number, name in enumerate(NEIGHBOURS):
            self.put(b"order/" + name, b"%d" % number)
        for size in (0, 1, 55, 56, 64, 65535, 65536, 65537, 131072):
            self.put("sizes/%d" % size, os.urandom(size))
        self.put("sizes/large", os.urandom(1 << 20) * 24 + b"end")
        for number in range(1200):
            self.put("many/%d/%d" % (number % 7, number), b"file %d\n" % number * (number % 50))
        os.makedirs(os.path.join(self.folder, "empty/folder"))
        depth = "/".join(["deep"] * 100)
        self.put(depth + "/file", b"down here")

    def test_every_line_in_the_order_of_the_paths_with_any_number_of_wires(self):
        self.make_tree()
        for wires in ("1", "2", "7", "200", "1000"):
            for io_threads in ("1", "8"):
                with self.subTest(wires=wires, io_threads=io_threads):
                    output = self.assert_agrees("-j", wires, "--io-threads", io_threads)
                    self.assertGreater(output.count(b"\n"), 1200)

    def test_sha256sum_accepts_the_lines(self):
        self.make_tree()
        status, output, errors = self.run_it(".")
        self.assertEqual((status, errors), (0, b""))
        check = subprocess.run(["sha256sum", "--check", "--strict", "--quiet"], input=output,
                               cwd=self.folder, capture_output=True)
        self.assertEqual((check.returncode, check.stdout, check.stderr), (0, b"", b""))

    def test_carriage_returns_as_the_installed_sha256sum_writes_them(self):
        self.put(b"plain\rreturn", b"text")
        reference = sha256sum([b"./plain\rreturn"], self.folder)
        if not reference.startswith(b"\\"):
            self.skipTest("this sha256sum is older than the escape for carriage returns")
        self.assert_agrees()

    def test_an_empty_folder_gives_no_line(self):
        self.assertEqual(self.run_it("."), (0, b"", b""))


class Arguments(WireSumTest):
    def test_they_are_printed_in_the_order_given_each_time_they_are(self):
        for name in ("b/1", "b/2", "a/1", "single"):
            self.put(name, name.encode())
        status, output, errors = self.run_it("b", "single", "a/", "b//", "./single")
        self.assertEqual((status, errors), (0, b""))
        paths = [b"b/1", b"b/2", b"single", b"a/1", b"b//1", b"b//2", b"./single"]
        self.assertEqual(output, sha256sum(paths, self.folder))

    def test_links_are_followed_when_named_and_not_inside_folders(self):
        self.put("real/file", b"text")
        links = {"to-folder": "real", "real/to-file": "file", "real/loop": "..",
                 "real/self": "self", "real/nowhere": "missing"}
        for link, target in links.items():
            os.symlink(target, os.path.join(self.folder, link))
        status, output, errors = self.run_it("real", "to-folder", "real/to-file")
        self.assertEqual((status, errors), (0, b""))
        paths = [b"real/file", b"to-folder/file", b"real/to-file"]
        self.assertEqual(output, sha256sum(paths, self.folder))

    def test_pipes_and_sockets_inside_folders_are_left_alone(self):
        self.put("folder/file", b"text")
        self.make_fifo("folder/pipe")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.path.join(self.folder, "folder/socket"))
            self.assert_agrees(folder="folder")

    def test_a_dash_is_stdin(self):
        self.put("folder/file", b"text")
        status, output, errors = self.run_it("folder", "-", input=b"typed in")
        self.assertEqual((status, errors), (0, b""))
        self.assertEqual(output, sha256sum([b"folder/file"], self.folder) +
                         hashlib.sha256(b"typed in").hexdigest().encode() + b"  -\n")

    def test_wrong_usage_is_told_apart(self):
        for arguments in ([], ["-j", "0", "."], ["-j", "many", "."], ["--io-threads", "0", "."],
                          ["--nonsense", "."], ["-q"]):
            with self.subTest(arguments=arguments):
                status, output, errors = self.run_it(*arguments)
                self.assertEqual((status, output), (2, b""))
                self.assertIn(b"usage: wire-sum ", errors)

    def test_help_goes_to_stdout(self):
        status, output, errors = self.run_it("--help")
        self.assertEqual((status, errors), (0, b""))
        self.assertTrue(output.startswith(b"usage: wire-sum "))


class Failures(WireSumTest):
    def test_what_is_missing_or_forbidden_is_named_and_the_rest_goes_on(self):
        for name in ("tree/1", "tree/2-forbidden", "tree/3-folder/hidden", "tree/4"):
            self.put(name, name.encode())
        closed = [os.path.join(self.folder, name) for name in ("tree/2-forbidden", "tree/3-folder")]
        for path in closed:
            os.chmod(path, 0)
        self.addCleanup(os.chmod, closed[1], 0o700)
        try:
            status, output, errors = self.run_it("miss\ning", "tree", "tree/1/x",
                                                 preexec_fn=drop_privileges_of_root)
        except subprocess.SubprocessError:
            self.skipTest("root cannot be kept from reading any file here")
        self.assertEqual(output, sha256sum([b"tree/1", b"tree/4"], self.folder))
        self.assertEqual(errors.decode().splitlines(), [
            "wire-sum: miss\\ning: No such file or directory",
            "wire-sum: tree/2-forbidden: Permission denied",
            "wire-sum: tree/3-folder: Permission denied",
            "wire-sum: tree/1/x: Not a directory"])
        self.assertEqual(status, 1)

    def test_a_file_that_opens_and_cannot_be_read(self):
        self.put("file", b"text")
        status, output, errors = self.run_it("/proc/self/mem", "file")
        self.assertEqual((status, output), (1, sha256sum([b"file"], self.folder)))
        self.assertEqual(errors, b"wire-sum: /proc/self/mem: Input/output error\n")

    def vanish(self):
        """Removes a file between its folder's being read and its turn. False: came too late."""
        large = self.put("tree/1-large")
        os.truncate(large, 256 << 20)
        second = self.put("tree/2", b"text")
        process = self.start_it("-j", "1", "tree", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        support.eventually(lambda: process.poll() is not None or large in open_files(process.pid),
                           "the large file is open")
        process.send_signal(signal.SIGSTOP)
        support.eventually(
            lambda: process.poll() is not None or status_of(process.pid, "State") in "TZ",
            "it is stopped")
        in_time = process.poll() is None and large in open_files(process.pid)
        os.unlink(second)
        process.send_signal(signal.SIGCONT)
        output, errors = process.communicate(timeout=support.PATIENCE)
        if in_time:
            self.assertEqual(output, sha256sum([b"tree/1-large"], self.folder))
            self.assertEqual(errors, b"wire-sum: tree/2: No such file or directory\n")
            self.assertEqual(process.returncode, 1)
        return in_time

    def test_a_file_that_vanishes_before_its_turn(self):
        # With one wire it is not open while the large one is read.
        self.assertTrue(any(self.vanish() for _ in range(10)))

    def test_output_that_cannot_be_written(self):
        self.put("file", b"text")
        with open("/dev/full", "wb") as full:
            status, _, errors = self.run_it("file", stdout=full)
        self.assertEqual(status, 1)
        self.assertEqual(errors, b"wire-sum: cannot write the output: No space left on device\n")

if __name__ == "__main__":
    support.main()
