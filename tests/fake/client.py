"""Running davit and dxf as users do, in an environment of their own.

All command lines of `davit registry` that the tests, benchmarks and interop runs use are made here.
"""

import hashlib
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass

SECONDS = 120
KEPT = ('PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LD_LIBRARY_PATH', 'TMPDIR')
CONTROL = re.compile('[\x00-\x09\x0b-\x1f\x7f]')


def digest_of(data):
    """sha256 digest of bytes."""
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def file_digest(path):
    """sha256 digest of a file."""
    with open(path, 'rb') as f:
        return 'sha256:' + hashlib.file_digest(f, 'sha256').hexdigest()


def build_dir():
    """Where davit was built: $DAVIT_BUILD, else build/ of this tree."""
    here = os.path.dirname(os.path.abspath(__file__))
    return os.path.abspath(os.environ.get('DAVIT_BUILD') or os.path.join(here, '../../build'))


def sanitized():
    """Whether the build has AddressSanitizer: it needs much more memory."""
    return program_has(b'__asan_init')


def counted():
    """Whether the build counts coverage: it keeps its counters in memory and writes them at the end."""
    return program_has(b'gcov')


def program_has(name):
    """Whether davit holds this symbol."""
    with open(os.path.join(build_dir(), 'davit'), 'rb') as f:
        return name in f.read()


@dataclass
class Result:
    """How a program ended."""
    argv: list
    code: int
    out: bytes
    err: str
    seconds: float

    @property
    def text(self):
        """Standard output as text."""
        return self.out.decode('utf-8', 'backslashreplace')

    def __str__(self):
        shown = self.text if len(self.text) < 2000 else self.text[:2000] + '…'
        return (f'{" ".join(self.argv)}\n  exit {self.code} after {self.seconds:.2f} s'
                f'\n  stdout: {shown!r}\n  stderr: {self.err!r}')

    def ok(self):
        """Fails unless the exit code is 0."""
        assert self.code == 0, f'should succeed: {self}'
        return self

    def fails(self, code, *words):
        """Fails unless the exit code is `code` (a number or several) and stderr is one good sentence
        with all `words` in it (either of those separated by |)."""
        codes = code if isinstance(code, tuple) else (code,)
        assert self.code in codes, f'should exit with {codes}: {self}'
        lines = [ln for ln in self.err.splitlines() if ': warning: ' not in ln]
        assert len(lines) == 1, f'stderr should be one sentence: {self}'
        name = os.path.basename(self.argv[0])
        lead = 'dxf: error: ' if name == 'dxf' else f'{name}: '
        assert lines[0].startswith(lead), f'stderr should begin with {lead!r}: {self}'
        sentence = lines[0][len(lead):]
        assert not sentence.endswith('.') and not CONTROL.search(sentence), f'bad sentence: {self}'
        assert 10 < len(sentence) < 1100, f'bad sentence: {self}'
        for word in words:
            choice = word.lower().split('|')
            assert any(w in sentence.lower() for w in choice), f'{word!r} is not said: {self}'
        return self


class Program:
    """A program with an environment of its own; `env` is added to what every call gets."""

    def __init__(self, path, home, **env):
        self.path = path
        self.env = {k: os.environ[k] for k in KEPT if k in os.environ}
        self.env |= {'HOME': str(home), 'LANG': 'C.UTF-8', 'COLUMNS': '80', **env}

    def command(self, *args):
        """Its argv."""
        return [self.path, *(os.fspath(a) for a in args)]

    def run(self, *args, stdin=b'', env=None, timeout=SECONDS, **how):
        """Run to the end."""
        argv = self.command(*args)
        return run(argv, stdin=stdin, env=self.env | (env or {}), timeout=timeout, **how)

    def start(self, *args, env=None, **how):
        """Start; the caller waits for it."""
        how = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE} | how
        return subprocess.Popen(self.command(*args), env=self.env | (env or {}), **how)

    def peak(self, *args, env=None, **how):
        """Run; peak resident memory in KiB, by `time`, which is small itself, and the Result."""
        report = os.path.join(self.env['HOME'], '.peak')
        argv = ['/usr/bin/time', '-f', '%M', '-o', report, *self.command(*args)]
        result = run(argv, env=self.env | (env or {}), **how)
        with open(report, encoding='ascii') as f:
            text = f.read()
        os.unlink(report)
        return int(text.split()[-1]), result


def run(argv, *, stdin=b'', env=None, timeout=SECONDS, **how):
    """Run a program to the end; bytes, a file or None (inherit nothing: /dev/null) as stdin."""
    how = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE} | how
    how |= {'input': stdin} if isinstance(stdin, bytes) else {'stdin': stdin or subprocess.DEVNULL}
    begun = time.monotonic()
    done = subprocess.run(argv, env=env, timeout=timeout, check=False, **how)
    return Result(argv, done.returncode, done.stdout or b'',
                  (done.stderr or b'').decode('utf-8', 'backslashreplace'),
                  time.monotonic() - begun)


class Davit(Program):
    """The davit command. The methods give arguments for run()."""

    def __init__(self, home, **env):
        super().__init__(os.path.join(build_dir(), 'davit'), home, **env)

    @staticmethod
    def repos(host, *more):
        """List repositories."""
        return ('registry', 'repos', host, *more)

    @staticmethod
    def tags(repo, *more):
        """List tags."""
        return ('registry', 'tags', repo, *more)

    @staticmethod
    def push(repo, path, *more):
        """Push a file, `-` for standard input."""
        return ('registry', 'blob', 'push', repo, path, *more)

    @staticmethod
    def pull(repo, digest, path=None, *more):
        """Pull a blob into a file, or to standard output."""
        return ('registry', 'blob', 'pull', f'{repo}@{digest}',
                *(('-o', path) if path else ()), *more)

    @staticmethod
    def pull_alias(repo, alias, path=None, *more):
        """Pull the blobs of an alias into a file, or to standard output."""
        return ('registry', 'blob', 'pull', f'{repo}:{alias}',
                *(('-o', path) if path else ()), *more)

    @staticmethod
    def stat(repo, digest, *more):
        """Look at a blob."""
        return ('registry', 'blob', 'stat', f'{repo}@{digest}', *more)

    @staticmethod
    def mount(repo, source, digest, *more):
        """Mount a blob of the repository `source` (without host)."""
        return ('registry', 'blob', 'mount', f'{repo}@{digest}', source, *more)

    @staticmethod
    def remove(repo, digest, *more):
        """Delete a blob."""
        return ('registry', 'blob', 'rm', f'{repo}@{digest}', *more)

    @staticmethod
    def manifest(verb, reference, *more):
        """get, put, stat or rm of a manifest; the reference is REPO:TAG or REPO@DIGEST."""
        return ('registry', 'manifest', verb, reference, *more)

    @staticmethod
    def alias(verb, repo, alias, *more):
        """set, get or rm of an alias."""
        return ('registry', 'alias', verb, f'{repo}:{alias}', *more)

    @staticmethod
    def login(host, user, *more):
        """Log in; the password comes on standard input."""
        return ('registry', 'login', host, '-u', user, '--password-stdin', *more)

    @staticmethod
    def logout(host, *more):
        """Log out."""
        return ('registry', 'logout', host, *more)

    @staticmethod
    def token(repo, *actions):
        """Print a token."""
        return ('registry', 'token', repo, *actions)


class Dxf(Program):
    """The dxf command on one registry: ours, or another program with the same interface."""

    def __init__(self, home, registry, path=None, **env):
        path = path or os.path.join(build_dir(), 'dxf')
        settings = {'DXF_HOST': registry.host}
        if registry.tls:
            settings['DXF_TLSVERIFY'] = getattr(registry.tls, 'ca', '')
        else:
            settings['DXF_INSECURE'] = '1'
        super().__init__(path, home, **(settings | env))


def helper_script(directory, name, text):
    """An executable script in a new or known directory; returns its path."""
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, name)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    os.chmod(path, 0o755)
    return path


def need(program):
    """Path of a program that the tests use; says which one is missing."""
    path = shutil.which(program)
    assert path, f'{program} is not installed'
    return path
