"""Running programs in turn and measuring them: wall time, processor time, peak memory."""

import contextlib
import os
import statistics
import subprocess
import time
from dataclasses import dataclass

TIME = '/usr/bin/time'


@dataclass
class Sample:
    """What one run took: seconds, processor seconds (children too), peak memory in KiB."""
    wall: float
    cpu: float
    peak: int = 0


class Failed(Exception):
    """A measured program did not succeed."""


def spawn(argv, env, stdin, stdout):
    """Start with little overhead; the process id."""
    actions = [(os.POSIX_SPAWN_OPEN, 2, 'stderr', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
    for fd, path, flags in ((0, stdin, os.O_RDONLY), (1, stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)):
        actions.append((os.POSIX_SPAWN_OPEN, fd, path, flags, 0o600))
    return os.posix_spawnp(argv[0], argv, env, file_actions=actions)


def once(argv, env, *, stdin='/dev/null', stdout='/dev/null', peak=False):
    """One run. With peak=True under time(1), which is small itself: a child's own peak counts what its
    parent had when it was started."""
    if peak:
        argv = [TIME, '-f', '%M', '-o', 'peak', *argv]
    begun = time.perf_counter()
    pid = spawn(argv, env, stdin, stdout)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - begun
    if status:
        with open('stderr', encoding='utf-8', errors='replace') as f:
            raise Failed(f'{" ".join(argv)}: exit {os.waitstatus_to_exitcode(status)}: {f.read()}')
    kib = 0
    if peak:
        with open('peak', encoding='ascii') as f:
            kib = int(f.read().split()[-1])
    return Sample(wall, usage.ru_utime + usage.ru_stime, kib)


def settle(*files):
    """Remove results of a run and let the disk come to rest, so that no run pays for the one before."""
    for path in files:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    subprocess.run(['sync'], check=True)


def in_turn(runs, **programs):
    """Each program (a function that gives a Sample) `runs` times, one after the other in turn; the
    medians by name. One round before warms up and does not count."""
    samples = {name: [] for name in programs}
    for n in range(runs + 1):
        for name, function in programs.items():
            sample = function()
            if n:
                samples[name].append(sample)
    return {name: Sample(statistics.median(s.wall for s in found),
                         statistics.median(s.cpu for s in found),
                         max(s.peak for s in found)) for name, found in samples.items()}


class Table:
    """Rows of results with their limits, as Markdown."""

    HEAD = ('| what | ours | theirs | ratio | limit | |\n'
            '|---|---:|---:|---:|---:|---|\n')

    def __init__(self):
        self.rows, self.failed = [], 0

    def _add(self, what, ours, theirs, found, limit, good):
        self.failed += not good
        row = f'| {what} | {ours} | {theirs} | {found} | {limit} | {"ok" if good else "**over**"} |'
        self.rows.append(row)
        print(row, flush=True)

    def ratio(self, what, ours, theirs, limit):
        """Two times in seconds; ours may be limit × theirs."""
        self._add(what, seconds(ours), seconds(theirs), f'{ours / theirs:.2f} ×', f'{limit} ×',
                  ours <= theirs * limit)

    def above(self, what, ours, theirs, limit):
        """Two amounts of memory in KiB; ours may be so much more than theirs."""
        self._add(what, f'{ours} KiB', f'{theirs} KiB', f'{ours - theirs:+} KiB', f'+{limit} KiB',
                  ours - theirs <= limit)

    def apart(self, what, one, other, limit):
        """Two amounts of memory in KiB that may differ by so much."""
        self._add(what, f'{one} KiB', f'{other} KiB', f'{one - other:+} KiB', f'±{limit} KiB',
                  abs(one - other) <= limit)

    def text(self):
        """The whole table."""
        return self.HEAD + '\n'.join(self.rows) + '\n'


def seconds(value):
    """A time for people."""
    return f'{value * 1000:.2f} ms' if value < 0.1 else f'{value:.2f} s'


def rewrite(path, text, name='bench-registry'):
    """Put text between the markers `<!-- NAME begin -->` and `<!-- NAME end -->` of a file."""
    begin, end = f'<!-- {name} begin -->', f'<!-- {name} end -->'
    with open(path, encoding='utf-8') as f:
        old = f.read()
    if begin not in old or end not in old:
        raise Failed(f'{path} has no markers {begin} and {end}')
    head, tail = old.split(begin)[0], old.split(end)[1]
    with open(path, 'w', encoding='utf-8') as f:
        f.write(f'{head}{begin}\n\n{text}\n{end}{tail}')
