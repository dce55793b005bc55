"""Cases with programs that end by themselves. Each says in its facts what it has seen."""

import os
import re

from harness import Missing, noise, sha256, system_library, tool

PYTHON_TESTS = ("socket select poll epoll subprocess selectors socketserver pty fcntl eintr signal"
                " posix").split()
# Hang or fail on some machines by themselves, whatever is preloaded.
PYTHON_LEFT_OUT = ("*VSOCK*",)
# Want to be allowed to use the network, of which they need the loopback interface only.
PYTHON_LOCAL_NETWORK = ("socketserver",)
# They count the open descriptors of processes, to which in a wire those of libwire belong.
PYTHON_OUTSIDE_WIRES = ("test_pass_fds_redirected", "test_close_fds_when_max_fd_is_lowered")


def python(module):
    """The verdict on every single test of a module of Python's own suite."""
    def case(mode):
        python3 = "/usr/bin/python3"
        if not os.path.exists(python3):
            raise Missing("python3 (Debian: python3)")
        left_out = [word for name in PYTHON_LEFT_OUT
                    + (PYTHON_OUTSIDE_WIRES if mode.main_in_wire else ()) for word in ("-i", name)]
        status, output = mode.run([python3, "-m", "test", "-v"] + left_out
                                  + (["-u", "network"] if module in PYTHON_LOCAL_NETWORK else [])
                                  + ["test_" + module])
        text = output.decode(errors="replace")
        if "No module named" in text and "test.test_" + module in text:
            raise Missing("Python's test suite (Debian: libpython3.11-testsuite)")
        facts = {"status": status}
        # A test's own output may come between its name and the verdict.
        pattern = r"^(test\w+) \(([\w.]+)\)(?:(?!^test\w+ \([\w.]+\)).)*?\.\.\. (?:.*?)" \
                  r"(ok|FAIL|ERROR|skipped|expected failure)\b"
        for name, where, verdict in re.findall(pattern, text, re.M | re.S):
            facts["%s.%s" % (where, name)] = verdict
        for verdict, name in re.findall(r"^(FAIL|ERROR): (.*)$", text, re.M):
            facts[name] = verdict
        for name in PYTHON_OUTSIDE_WIRES if mode.main_in_wire else ():
            facts["not compared: " + name] = True
        return facts
    return case


def shell(mode):
    """Pipelines, redirections, background jobs, here-documents, command substitution."""
    script = r"""
seq 20000 | sort -r | head -n 5000 | tr 0-9 a-j | cksum
(echo one; echo two >&2; false) 2>&1 | cat; echo "status $?"
n=$(seq 100 | xargs -n 7 -P 4 echo | tr ' ' '\n' | sort -n | tail -n 1); echo $n
mkfifo p; (seq 3000 >p &); cksum <p
tar cf - -C /usr/share/common-licenses . 2>/dev/null | gzip -n | gunzip | tar tf - | sort | cksum
sleep 0.1 & wait $!; echo "waited $?"
sh -c 'kill -TERM $$'; echo "killed $?"
yes | head -n 1
timeout 0.2 sleep 5; echo "timed out $?"
find /usr/share/perl5 -type f 2>/dev/null | LC_ALL=C sort | xargs cat | cksum
flock lock sh -c 'flock -n lock true; echo "second $?"'
dd if=/dev/zero bs=4096 count=300 2>/dev/null | wc -c
cat <<END | rev
here
END
"""
    status, output = mode.run(["sh", "-c", script])
    return {"status": status, "output": output.decode()}


def sqlite(mode):
    """Several processes write to one database, in both journal modes."""
    sqlite3 = tool("sqlite3", "sqlite3")
    facts = {}
    for journal in ("delete", "wal"):
        fill = ("pragma journal_mode=%s; create table t(a integer primary key, b text);\n"
                "with recursive n(x) as (select 1 union all select x + 1 from n where x < 5000)"
                " insert into t select x, hex(x * 7919) from n;\n" % journal)
        facts[journal + " fill"] = mode.run([sqlite3, journal], input=fill.encode())
        several = "for i in 1 2 3 4; do for j in 1 2 3 4 5; do %s -cmd '.timeout 60000' %s" \
                  " 'update t set b = b || 1 where a = '$i$j; done & done; wait" \
                  % (sqlite3, journal)
        facts[journal + " several"] = mode.run(["sh", "-c", several])
        facts[journal + " check"] = mode.run(
            [sqlite3, journal, "pragma integrity_check; select count(*), sum(length(b)) from t;"
             "create index i on t(b); vacuum; pragma integrity_check;"])
        facts[journal + " dump"] = sha256(mode.run([sqlite3, journal, ".dump"])[1])
    return facts


def git(mode):
    """Commits, packs, a clone over a pipe, all checked by git itself."""
    tool("git", "git")
    script = r"""
set -e
export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
git init -q -b main a && cd a
git config user.name A && git config user.email a@example.invalid
for i in 1 2 3 4 5 6 7 8; do seq $i 7 3000 >f$i; git add f$i; git commit -qm "commit $i"; done
git checkout -qb side HEAD~3 && seq 9 >g && git add g && git commit -qm side
git checkout -q main && git merge -q -m merge side
git gc -q --prune=now && git fsck --full --strict --no-progress
cd .. && git clone -q --no-local file://"$PWD"/a b && cd b
git fsck --full --no-progress && git rev-parse HEAD && git log --oneline | cksum
git archive HEAD | cksum && git diff HEAD~4 --stat | tail -n 1 && git grep -c 77 f1
"""
    status, output = mode.run(["sh", "-c", script])
    return {"status": status, "output": output.decode()}


PERL = r"""
use strict; use warnings; use IO::Socket::INET; use IO::Select; use POSIX ':sys_wait_h'; $| = 1;
my $server = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die;
my $child = fork() // die;
if (!$child) {
  my $peer = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->sockport) or die;
  print $peer "line $_\n" for 1 .. 5000;
  shutdown($peer, 1);
  my $sum = <$peer>;
  exit($sum eq "5000 lines\n" ? 7 : 8);
}
my $peer = $server->accept; my $count = 0;
$count++ while <$peer>;
print $peer "$count lines\n"; close $peer;
waitpid($child, 0); print "child ", $? >> 8, "\n";
open(my $pipe, '-|', 'seq 10000') or die; my $total = 0; $total += $_ while <$pipe>;
close $pipe; print "total $total, status $?\n";
print "system ", system('sh', '-c', 'exit 3') >> 8, "\n", `echo back`;
pipe(my $r, my $w); my $select = IO::Select->new($r);
print "ready ", scalar(my @none = $select->can_read(0.05)), "\n"; syswrite($w, 'x');
print "ready ", scalar(my @one = $select->can_read(5)), "\n";
local $SIG{ALRM} = sub { die "alarm\n" }; 
eval { alarm 1; sysread($r, my $x, 1); sysread($r, $x, 1) };
print "eval $@";
local $SIG{PIPE} = 'IGNORE'; close $r; print "write ", defined(syswrite($w, 'x')) ? 1 : $!, "\n";
open(my $file, '+>', 'f') or die; print $file "x" x 100000; seek($file, 5, 0);
read($file, my $part, 10); print "$part ", -s 'f', "\n"; truncate($file, 7); print -s $file, "\n";
opendir(my $dir, '.') or die; print join(' ', sort grep { !/log/ } readdir $dir), "\n";
"""


def perl(mode):
    """Sockets, pipes, children, signals and files in one process."""
    status, output = mode.run([tool("perl", "perl"), "-e", PERL])
    return {"status": status, "output": output.decode()}


PROGRAM = r"""
#include <math.h>
#include <stdio.h>
#include <string>
#include <vector>
int main() { std::vector<std::string> v; for (int i = 0; i < 9; i++) v.push_back(std::to_string(i));
  std::string s; for (auto &x : v) s += x; printf("%s %.3f\n", s.c_str(), sqrt(2.0)); }
"""


def gcc(mode):
    """The compiler driver with its processes, pipes and temporary files; the same object code."""
    tool("g++", "g++")
    facts = {}
    for name, options in (("pipe", ["-pipe", "-O1"]), ("files", ["-save-temps", "-O1"]),
                          ("lto", ["-flto=2", "-O2"])):
        facts[name] = mode.run(["g++", "-x", "c++", "-", "-frandom-seed=1", "-o", "program"]
                               + options, input=PROGRAM.encode())
        facts[name + " ran"] = mode.run(["./program"])
    status, code = mode.run(["g++", "-x", "c++", "-", "-frandom-seed=1", "-O2", "-S", "-o", "-"],
                            input=PROGRAM.encode())
    facts["assembly"] = status, sha256(code)
    return facts


STRESSORS = "sock pipe poll fork vfork eventfd epoll sem mq futex flock sockpair udp".split()


def stress_ng(mode):
    """Each stressor makes its number of operations and verifies them."""
    stress = tool("stress-ng", "stress-ng")
    facts = {}
    for name in STRESSORS:
        status, output = mode.run(
            [stress, "--" + name, "1", "--%s-ops" % name, "100", "--verify", "--timeout", "30",
             "--temp-path", mode.folder], timeout=90)
        text = output.decode(errors="replace")
        facts[name] = status
        facts[name + " failures"] = re.sub(r"\[\d+\]", "", "\n".join(
            line for line in text.splitlines() if re.search(r"\bfail|\berror", line)
            and "failed: 0" not in line))
    return facts


MIXED = r"""
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
static int pair[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int go;
static void *writer(void *unused) {
  (void)unused;
  pthread_mutex_lock(&mutex);
  while (!go)
    pthread_cond_wait(&cond, &mutex);
  pthread_mutex_unlock(&mutex);
  char *block = malloc(65536);
  memset(block, 'w', 65536);
  for (int i = 0; i < 40; i++)
    assert(send(pair[1], block, 65536, 0) == 65536);
  free(block);
  shutdown(pair[1], SHUT_WR);
  return NULL;
}
int main(void) {
  pthread_t thread;
  assert(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  assert(pthread_create(&thread, NULL, writer, NULL) == 0);
  struct pollfd wait = {pair[0], POLLIN, 0};
  printf("poll %d\n", poll(&wait, 1, 20));
  pthread_mutex_lock(&mutex);
  go = 1;
  pthread_cond_signal(&cond);
  pthread_mutex_unlock(&mutex);
  size_t total = 0;
  char *buffer = malloc(10000);
  for (ssize_t n; (n = read(pair[0], buffer, 10000)) > 0;)
    total += (size_t)n;
  free(buffer);
  assert(pthread_join(thread, NULL) == 0);
  FILE *pipe = popen("echo from the child", "r");
  char line[64];
  assert(fgets(line, sizeof line, pipe));
  printf("read %zu, %spclose %d\n", total, line, pclose(pipe));
  pid_t child = fork();
  if (child == 0)
    _exit(5);
  int status;
  assert(waitpid(child, &status, 0) == child);
  printf("child %d, usleep %d, system %d\n", WEXITSTATUS(status), usleep(1000), system("exit 2"));
  return 0;
}
"""


def compiled(mode, options):
    with open(os.path.join(mode.folder, "mixed.c"), "w") as source:
        source.write(MIXED)
    plain = os.environ.get("CC") or tool("gcc", "gcc")
    command = "%s -g -O1 -pthread %s -o mixed mixed.c" % (plain, options)
    if os.system("cd '%s' && %s" % (mode.folder, command)) != 0:
        raise Missing("a compiler for: " + command)
    return os.path.join(mode.folder, "mixed")


def asan(mode):
    """A program with AddressSanitizer, which wants to come first."""
    program = compiled(mode, "-fsanitize=address -shared-libasan" if "clang" in
                       os.environ.get("CC", "") else "-fsanitize=address")
    runtime = os.popen("%s -print-file-name=libasan.so" % (os.environ.get("CC") or "gcc"))
    first = [os.path.realpath(runtime.read().strip())]
    if not first[0].startswith("/"):
        raise Missing("libasan.so (Debian: gcc)")
    # It warns that a stack which is not a thread's is unknown to it, and goes on.
    status, output = mode.run([program], first=first,
                              environment={"ASAN_OPTIONS": "detect_leaks=0"})
    lines = output.decode().splitlines()
    return {"status": status, "reports": [line for line in lines if "ERROR" in line],
            "output": [line for line in lines if re.match(r"poll|read|pclose|child", line)]}


def valgrind(mode):
    """Memcheck has nothing to say about a program that uses the overridden calls."""
    program = compiled(mode, "")
    status, output = mode.run([tool("valgrind", "valgrind"), "-q", "--error-exitcode=99", program])
    # It also mentions system calls that it does not know.
    return {"status": status, "output": [line for line in output.decode().splitlines()
                                         if not line.startswith("--")]}


def jemalloc_library():
    return system_library("libjemalloc.so.2", "libjemalloc2")


def large_file(folder, name, size):
    with open(os.path.join(folder, name), "wb") as out:
        out.write(noise(size))
