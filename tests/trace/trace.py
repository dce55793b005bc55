"""usage: trace.py PROGRAM

What traces.c writes: JSON, in which nothing contradicts anything else, and which tells what has
happened.
"""

import bisect
import collections
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv.pop(1))
PATIENCE = 200  # seconds; only what hangs needs them
FIRST_WIRE = 10000000


def nanoseconds(event, key):
    return round(event[key] * 1000)


class Trace:
    """The events of a file, and what they say of each track."""

    def __init__(self, path, complete=True):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.closed = text.endswith("\n]\n")
        if complete:
            assert self.closed, text[-200:]
        self.events = json.loads(text if self.closed else text + "]")
        self.names = {}
        self.places = {}  # track: its sort index
        self.slices = collections.defaultdict(list)  # track: [begin, end, name], as they end
        self.wakes = {}  # id: event
        self.arrivals = {}
        open_waits = {}
        for event in self.events:
            track = event["pid"], event.get("tid")
            phase = event["ph"]
            if phase == "M" and event["name"] == "process_labels":
                pass
            elif phase == "M" and event["name"] == "thread_sort_index":
                self.places[track] = event["args"]["sort_index"]
            elif phase == "M":
                self.names[track, event["name"]] = event["args"]["name"]
            elif phase == "X":
                begin = nanoseconds(event, "ts")
                self.slices[track].append([begin, begin + nanoseconds(event, "dur"), event["name"]])
            elif phase == "B":
                assert track not in open_waits, event
                open_waits[track] = nanoseconds(event, "ts"), event["name"]
            elif phase == "E":
                begin, name = open_waits.pop(track)
                self.slices[track].append([begin, nanoseconds(event, "ts"), name])
            elif phase == "s":
                assert event["id"] not in self.wakes, event
                self.wakes[event["id"]] = event
            elif phase == "f":
                assert event["id"] not in self.arrivals, event
                self.arrivals[event["id"]] = event
            else:
                raise AssertionError(event)
        self.unfinished = {track: name for track, (_, name) in open_waits.items()}
        for track, (begin, name) in open_waits.items():
            self.slices[track].append([begin, float("inf"), name])
        self.check()

    def check(self):
        """What holds for every trace."""
        threads = collections.defaultdict(list)
        for track, slices in self.slices.items():
            assert (track, "thread_name") in self.names, track
            assert ((track[0], track[0]), "process_name") in self.names, track
            slices.sort()
            self.check_disjoint(slices, track)
            if track[1] >= FIRST_WIRE or track[0] == track[1]:
                threads[track[0]] += [one for one in slices if not self.is_wait(track, one[2])]
            elif track[1] != track[0]:  # a worker
                assert all(re.fullmatch("[a-z0-9_]+", name) for _, _, name in slices), slices
            # Below the thread are its workers, and below these its wires as they came.
            assert self.places.get(track, 0) == (
                0 if track[0] == track[1] else 1 if track[1] < FIRST_WIRE else track[1]), track
        for thread, slices in threads.items():  # a thread does one thing at a time
            slices.sort()
            self.check_disjoint(slices, thread)
        for wake in self.wakes.values():  # by somebody who is doing something then
            track = wake["pid"], wake["tid"]
            time = nanoseconds(wake, "ts")
            assert any(begin <= time < end or begin == time == end
                       for begin, end, _ in self.slices[track]) or \
                self.ends_here(track, time), wake
        for number, arrival in self.arrivals.items():
            wake = self.wakes[number]
            assert wake["pid"] == arrival["pid"], (wake, arrival)
            begin = nanoseconds(arrival, "ts")
            assert nanoseconds(wake, "ts") <= begin, (wake, arrival)
            assert any(one[0] == begin and one[2].startswith("runs")
                       for one in self.slices[arrival["pid"], arrival["tid"]]), arrival
        # Whoever stops waiting has been woken just before, in its thread.
        wakes = collections.Counter((wake["pid"], nanoseconds(wake, "ts"))
                                    for wake in self.wakes.values())
        for track, slices in self.slices.items():
            for begin, end, name in slices:
                if self.is_wait(track, name) and end != float("inf"):
                    assert wakes[track[0], end - 1] + wakes[track[0], end] > 0, (track, name)
        self.check_as_rounded()

    def check_as_rounded(self):
        """Viewers count in floating point, and tie a wake to the slice that they find there."""
        slices = collections.defaultdict(list)
        for event in self.events:
            if event["ph"] == "X":
                slices[event["pid"], event["tid"]].append(
                    (event["ts"], event["ts"] + event["dur"]))
        for found in slices.values():
            found.sort()
        for wake in self.wakes.values():
            track, time = (wake["pid"], wake["tid"]), wake["ts"]
            at = bisect.bisect(slices[track], (time, float("inf"))) - 1
            assert (at >= 0 and (time < slices[track][at][1] or time == slices[track][at][0])) or \
                self.ends_here(track, nanoseconds(wake, "ts")), wake

    def ends_here(self, track, time):
        """The last events of a trace may lack the slice that they were part of."""
        return not any(begin >= time for begin, _, _ in self.slices[track])

    @staticmethod
    def is_wait(track, name):
        return track[1] >= FIRST_WIRE and not name.startswith("runs")

    @staticmethod
    def check_disjoint(slices, where):
        for one, other in zip(slices, slices[1:]):
            assert one[1] <= other[0], (where, one, other)

    def tracks(self, name):
        return [track for (track, what), given in self.names.items()
                if what == "thread_name" and given == name]

    def track(self, name):
        found = self.tracks(name)
        assert len(found) == 1, (name, found)
        return found[0]

    def life(self, name):
        """What the one wire of this name has done."""
        return [one[2] for one in self.slices[self.track(name)]]

    def waker(self, name, begin):
        """The track that made the wire ready for its slice that begins then."""
        for number, arrival in self.arrivals.items():
            if (arrival["pid"], arrival["tid"]) == self.track(name) and \
                    nanoseconds(arrival, "ts") == begin:
                return self.wakes[number]["pid"], self.wakes[number]["tid"]
        raise AssertionError((name, begin))


class Traces(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "trace.json")

    def run_scenario(self, scenario, **environment):
        done = subprocess.run([PROGRAM, scenario, self.path], timeout=PATIENCE, text=True,
                              cwd=self.folder.name, capture_output=True,
                              env={**os.environ, **environment})
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_what_wires_wait_for(self):
        self.run_scenario("waits")
        trace = Trace(self.path)
        outside = trace.track("outside wires")
        for wire, reason in {"receives": "a message on channel 0x",
                             "sends": "a receiver on channel 0x",
                             "takes_a_unit": "semaphore 0x",
                             "reads": "an event: descriptor ", "never_ends": "a message on channel",
                             "asks_a_worker": "a call that a worker makes: statfs",
                             "fills_the_pool": "an entry of pool 0x"}.items():
            self.assertTrue(any(what.startswith(reason) for what in trace.life(wire)),
                            (wire, trace.life(wire)))
        lives = {track: [one[2] for one in trace.slices[track]] for track in trace.tracks("locks")}
        self.assertTrue(any(what.startswith("lock 0x") for life in lives.values() for what in life))
        self.assertEqual([life[-1] for life in lives.values()], ["runs and ends"] * 2)
        # Two were there before: one is resumed from outside, the other by a wire.
        early, late = sorted(trace.tracks("suspends"))
        self.assertEqual([one[2] for one in trace.slices[early]], ["wire_resume", "runs and ends"])
        self.assertEqual([one[2] for one in trace.slices[late]],
                         ["runs", "wire_resume", "runs and ends"])
        self.assertEqual(len(trace.tracks("sleeps")), 2)
        # In the order in which they were made, which is that of the tracks.
        made = ["receives", "sends", "takes_a_unit", "reads", "asks_a_worker", "writes"]
        self.assertEqual(sorted(made, key=trace.track), made)
        # Who woke whom.
        unit = trace.slices[trace.track("takes_a_unit")]
        self.assertEqual(trace.waker("takes_a_unit", unit[-1][0]), trace.track("writes"))
        read = trace.slices[trace.track("reads")]
        self.assertEqual(trace.waker("reads", read[-1][0]), outside)
        entry = trace.slices[trace.track("fills_the_pool")]
        self.assertIn(trace.waker("fills_the_pool", entry[-1][0]), trace.tracks("in a pool"))
        # A call lies between the request, just before the wait for it, and the end of that.
        calls = [one for track in trace.tracks("worker") for one in trace.slices[track]]
        self.assertLessEqual({"statfs", "opendir", "readdir", "closedir"},
                             {one[2] for one in calls})
        call, = [one for one in calls if one[2] == "statfs"]
        asks = trace.slices[trace.track("asks_a_worker")]
        wait, = [one for one in asks if one[2].endswith(": statfs")]
        request = max(one for one in asks if one[0] < wait[0])
        self.assertTrue(request[0] <= call[0] <= call[1] <= wait[1], (request, wait, call))
        # Cancelled: one that waited, one that never ran, and the one that did it.
        self.assertEqual(trace.life("never_ends")[-1], "runs and ends")
        self.assertEqual(trace.life("never_runs"), [])
        self.assertEqual(trace.life("cancels"), ["runs and ends"])
        self.assertEqual(list(trace.unfinished), [trace.track("waits for ever")])
        self.assertEqual(len(trace.tracks('a "name"\\ \x01 \u00e4 \ufffd \ufffd\ufffd')), 1)

    def test_several_threads(self):
        self.run_scenario("threads")
        trace = Trace(self.path)
        wires = trace.tracks("yields")
        self.assertEqual(len(wires), 8)
        self.assertEqual(len({thread for thread, _ in wires}), 4)
        for track in wires:  # all but the switches before the thread noticed
            self.assertGreater(len(trace.slices[track]), 4000 - 200)
            self.assertEqual(trace.slices[track][-1][2], "runs and ends")

    def test_a_fork_in_a_wire(self):
        self.run_scenario("fork-in-a-wire")
        trace = Trace(self.path, complete=False)
        self.assertFalse(trace.closed)
        parent, child = sorted(trace.tracks("forks"), key=lambda track: track[0] != min(
            pid for pid, _ in trace.tracks("yields")))
        self.assertNotEqual(parent[0], child[0])
        self.assertEqual([track[0] for track in trace.tracks("yields")], [parent[0]])
        self.assertTrue(any(one[2].startswith("the end of its sleep") for one in
                            trace.slices[child]))
        self.assertEqual(trace.slices[parent][-1][2], "runs and ends")

    def test_a_fork_outside_wires(self):
        self.run_scenario("fork-outside")
        trace = Trace(self.path, complete=False)
        for name in "yields", "waits for ever":
            self.assertEqual(len({thread for thread, _ in trace.tracks(name)}), 2)
        for track in trace.tracks("yields"):
            self.assertGreater(len(trace.slices[track]), 4000 - 200)

    def test_a_process_that_is_killed(self):
        process = subprocess.Popen([PROGRAM, "killed", self.path], stdout=subprocess.PIPE,
                                   cwd=self.folder.name)
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), b"idle\n")
        # Idle threads write what they have: the file ends with what the wire waits for.
        while True:
            self.assertIsNone(process.poll())
            with open(self.path, encoding="utf-8") as file:
                if {"to be readable", "runs and ends"} <= {*re.findall(
                        "to be readable|runs and ends", file.read())}:
                    break
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
        trace = Trace(self.path, complete=False)
        self.assertFalse(trace.closed)
        self.assertTrue(trace.unfinished[trace.track("says_so")].startswith("an event: descriptor"))
        self.assertGreater(len(trace.slices[trace.track("yields")]), 3999)

    def test_the_environment(self):
        path = os.path.join(self.folder.name, "%p-trace-%p.json")
        for scenario in "exits", "exits-in-a-wire":
            process = subprocess.Popen([PROGRAM, scenario, "unused"], cwd=self.folder.name,
                                       env={**os.environ, "WIRE_TRACE": path})
            self.assertEqual(process.wait(PATIENCE), 0)
            trace = Trace(path.replace("%p", str(process.pid)))
            self.assertEqual(trace.names[(process.pid, process.pid), "process_name"],
                             "thread %d of %s" % (process.pid, os.path.basename(PROGRAM)))
            if scenario == "exits":
                self.assertEqual(trace.life("yields"), ["runs"] * 4000 + ["runs and ends"])
            else:
                self.assertEqual(trace.life("leaves_in_a_wire"), ["runs", "runs"])
        self.assertEqual(len(os.listdir(self.folder.name)), 2)

    def test_an_environment_that_cannot_be_followed(self):
        done = subprocess.run([PROGRAM, "exits", "unused"], timeout=PATIENCE, text=True,
                              capture_output=True,
                              env={**os.environ, "WIRE_TRACE": "/nonexistent/trace"})
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr,
                         "libwire: WIRE_TRACE: /nonexistent/trace cannot be written, errno 2\n")


if __name__ == "__main__":
    unittest.main()
