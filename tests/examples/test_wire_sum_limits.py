"""wire-sum: hundreds of wires on one thread, everything bounded, progress on terminals only."""

import array
import fcntl
import hashlib
import os
import pty
import re
import resource
import subprocess
import termios
import time

import support
from wire_sum_support import WireSumTest, open_files, regular_files, sha256sum, status_of


class Resources(WireSumTest):
    def test_hundreds_of_wires_wait_on_one_thread(self):
        # An open writer lets each pipe be opened; then a wire waits in each for something to read.
        # The threads that opened them are of no use any more and end.
        names = ["pipe%03d" % number for number in range(200)]
        for name in names:
            self.make_fifo(name)
        writers = [os.open(os.path.join(self.folder, name), os.O_RDWR) for name in names]
        self.put("folder/file", b"text")
        process = self.start_it("-j", "300", "--io-threads", "2", *names, "folder",
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        pid = process.pid
        support.eventually(
            lambda: sum("/pipe" in target for target in open_files(pid)) >= len(names) and
            int(status_of(pid, "Threads")) <= 1 + 2, "one thread and the two for io are left")
        for name, writer in zip(names, writers):
            os.write(writer, name.encode())
            os.close(writer)
        output, errors = process.communicate(timeout=support.PATIENCE)
        expected = b"".join(b"%s  %s\n" % (hashlib.sha256(name.encode()).hexdigest().encode(),
                                           name.encode()) for name in names)
        self.assertEqual(output, expected + sha256sum([b"folder/file"], self.folder))
        self.assertEqual((process.returncode, errors), (0, b""))

    def watch(self, wires, io_threads):
        """Runs it over the tree; returns the most descriptors and threads that were seen."""
        process = self.start_it("-j", str(wires), "--io-threads", str(io_threads), "tree",
                                stdout=subprocess.PIPE)
        files = threads = times_asleep = 0
        # The output does not fit into the pipe: it goes to sleep and stays there.
        while times_asleep < 50 or self.bytes_in(process.stdout) < 30000:
            self.assertIsNone(process.poll())
            files = max(files, len(open_files(process.pid)))
            threads = max(threads, int(status_of(process.pid, "Threads")))
            asleep = status_of(process.pid, "State") == "S"
            times_asleep = times_asleep + 1 if asleep else 0
        output, _ = process.communicate(timeout=support.PATIENCE)
        self.assertEqual((process.returncode, output.count(b"\n")), (0, 2000))
        return files, threads

    @staticmethod
    def bytes_in(pipe):
        count = array.array("i", [0])
        fcntl.ioctl(pipe, termios.FIONREAD, count)
        return count[0]

    def test_descriptors_and_threads_are_bounded(self):
        for number in range(2000):
            self.put("tree/%d/%d" % (number % 100, number), b"%d" % number)
        # On a machine so busy that nothing moves for a while, io adds threads for that time.
        for _ in range(5):
            files, threads = self.watch(wires=50, io_threads=3)
            self.assertLessEqual(files, 50 + 16)
            if threads <= 1 + 3:
                return
        self.fail("%d threads" % threads)

    def test_no_more_wires_than_descriptors(self):
        for number in range(500):
            self.put("tree/%d" % number, b"%d" % number)

        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))

        status, output, errors = self.run_it("-j", "1000", "tree", preexec_fn=limit)
        self.assertEqual((status, errors), (0, b""))
        self.assertEqual(output.count(b"\n"), 500)


class Progress(WireSumTest):
    def start_on_terminal(self, *arguments, **options):
        """Returns the process and a function that reads the terminal until a pattern matches."""
        ours, theirs = pty.openpty()
        process = self.start_it(*arguments, stderr=theirs, **options)
        os.close(theirs)
        self.addCleanup(os.close, ours)
        shown = [b""]

        def read_until(pattern):
            deadline = time.monotonic() + support.PATIENCE
            while not re.search(pattern, shown[0]):
                self.assertLess(time.monotonic(), deadline, shown[0][-200:])
                try:
                    part = os.read(ours, 4096)
                except OSError:  # nobody has the other side any more
                    part = b""
                if not part:
                    self.assertRegex(shown[0], pattern)
                shown[0] += part
            return shown[0]

        return process, read_until

    def test_a_pipe_that_is_waited_for_holds_up_nobody(self):
        self.make_fifo("pipe")
        for number in range(20):
            self.put("folder/%d" % number, b"%d" % number)
        process, read_until = self.start_on_terminal("pipe", "folder", stdout=subprocess.PIPE)
        read_until(rb"\r20 of 21 files, 0\.0 MB, ")
        with open(os.path.join(self.folder, "pipe"), "wb") as pipe:
            pipe.write(b"at last")
        output, _ = process.communicate(timeout=support.PATIENCE)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(output, hashlib.sha256(b"at last").hexdigest().encode() + b"  pipe\n" +
                         sha256sum(regular_files("folder", self.folder), self.folder))
        # The line is gone at the end.
        self.assertRegex(read_until(rb"\r\x1b\[K$"), rb"files, [^\n]*\x1b\[K\r\x1b\[K$")

    def test_results_are_not_kept_without_limit(self):
        self.make_fifo("pipe")
        first = self.put("folder/0/0", b"text")
        for number in range(100):
            os.makedirs(os.path.join(self.folder, "folder/%d" % number), exist_ok=True)
        for number in range(1, 11000):
            os.link(first, os.path.join(self.folder, "folder/%d/%d" % (number % 100, number)))
        process, read_until = self.start_on_terminal("pipe", "folder", stdout=subprocess.PIPE)
        # It stops there; only files that were begun before come on top.
        most_wires, most_unprinted = 200, 10000
        stopped = rb"\r(9[89]|10[012])(\d\d) of 11001 files"
        shown = read_until(stopped + rb"(?s:.*)\r\1\2 of 11001 files")
        for count in re.findall(rb"(\d+) of", shown):
            self.assertLessEqual(int(count), most_unprinted + most_wires)
        with open(os.path.join(self.folder, "pipe"), "wb"):
            pass
        output, _ = process.communicate(timeout=support.PATIENCE)
        self.assertEqual((process.returncode, output.count(b"\n")), (0, 11001))
        self.assertEqual(output.split(b"\n", 1)[1],
                         sha256sum(regular_files("folder", self.folder), self.folder))

    def test_messages_stand_on_lines_of_their_own(self):
        self.make_fifo("pipe")
        process, read_until = self.start_on_terminal("pipe", "missing", stdout=subprocess.PIPE)
        read_until(rb"\r0 of 2 files")
        with open(os.path.join(self.folder, "pipe"), "wb"):
            pass
        process.communicate(timeout=support.PATIENCE)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(read_until(rb"directory"),
                         rb"\r\x1b\[Kwire-sum: missing: No such file or directory")

    def test_quiet_means_none(self):
        for name in ("pipe", "other-pipe"):
            self.make_fifo(name)
        quiet, read_quiet = self.start_on_terminal("-q", "pipe", "missing",
                                                   stdout=subprocess.PIPE)
        loud, read_loud = self.start_on_terminal("other-pipe", "missing",
                                                 stdout=subprocess.PIPE)
        # The quiet one has been at it for longer.
        read_loud(rb"\r0 of 2 files")
        for process, name in (quiet, "pipe"), (loud, "other-pipe"):
            with open(os.path.join(self.folder, name), "wb"):
                pass
            process.communicate(timeout=support.PATIENCE)
        self.assertEqual(read_quiet(rb"\n"), b"wire-sum: missing: No such file or directory\r\n")


if __name__ == "__main__":
    support.main()
