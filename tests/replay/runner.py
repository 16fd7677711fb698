"""Run the steps of a transcript against the listeners and collect the differences."""

import os
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from base64 import b64decode
from dataclasses import dataclass, field

import compare
import server
import transcript
from server import Answer, Request

STEP_SECONDS = 20
KEPT_ENV = re.compile(r'(?:[ALTU]B?SAN_OPTIONS|LLVM_PROFILE_FILE|GCOV_.*)')


@dataclass
class Result:
    """One step: .state is 'passed', 'documented' or 'failed'."""
    step: dict
    state: str
    differences: list = field(default_factory=list)
    trace: list = field(default_factory=list)
    reason: str = ''


class Script:
    """The exchanges of one step, served in order; thread-safe."""

    def __init__(self, want, names, files):
        self.want, self.names, self.files = want['http'], names, files
        self.signed = compare.SignedTexts(want)
        self.lock = threading.Lock()
        self.position = self.times = 0
        self.differences = []
        self.trace = []
        self.no_length = "KeyError: 'content-length'" in want.get('stderr_last', '')

    def __call__(self, request):
        with self.lock:
            return self._answer(self._recorded(request))

    def _recorded(self, request):
        rec = self.names.recorded
        body = request.body
        if len(body) < 1 << 20:
            body = self.names.recorded_bytes(body)
        return Request(request.listener, request.method, rec(request.target),
                       {k: rec(v) for k, v in request.headers.items()}, body, request.aborted)

    def _matches(self, number, request):
        if number >= len(self.want):
            return False
        x = self.want[number]
        return x['listener'] == request.listener and \
            server.same_target(x, request.method, request.path, request.query)

    def _answer(self, request):
        line = f'{request.listener} {request.method} {request.target}'
        repeat = self.position < len(self.want) and self.want[self.position].get('repeat', 1)
        if self.times and not (self._matches(self.position, request) and self.times < repeat):
            self.position, self.times = self.position + 1, 0
        if not self._matches(self.position, request):
            self.trace.append(f'{line} -> 599')
            following = self.want[self.position:self.position + 1]
            self.differences.append('extra request: ' + line + (
                f'\n  expected {describe(following[0])}' if following else
                '\n  expected no further request'))
            return Answer(599, {'Content-Length': '0'}, b'', close=True)
        x = self.want[self.position]
        self.times += 1
        self.trace.append(f'{line} -> {x["status"]}')
        if x['status'] is None:
            # recorded: the client hung up, there was no answer
            if not request.aborted:
                self.differences.append(f'{line}: expected the client to hang up')
            return None
        if request.aborted:
            self.differences.append(f'{line}: the client hung up in the middle of the body')
            return None
        self.differences += [f'{line}: {d}' for d in compare.request_differs(
            x, request, request.query, self.signed)]
        return self._recorded_answer(x, line)

    def _recorded_answer(self, x, line):
        """The recorded response in live words.

        The recording leaves out a Content-Length that the mock added by itself: a response without
        one gets one, unless the recorded client complained that there was none.
        """
        headers = {k: self.names.live(v) for k, v in x['response']['headers'].items()}
        recorded = x['response'].get('body') or {'len': 0}
        body = transcript.body_bytes(recorded, self.files)
        if body is None:
            self.differences.append(f'{line}: the transcript does not have the response body')
            return Answer(599, {'Content-Length': '0'}, b'', close=True)
        lower = {k.lower(): k for k in headers}
        kind = headers.get(lower.get('content-type'), '')
        if 'text' in recorded and kind.split(';')[0] in ('application/json', 'text/html'):
            body = self.names.live(recorded['text']).encode()
        close = False
        if x['method'] != 'HEAD' and x['status'] not in (204, 304):
            length = headers.pop(lower.get('content-length'), None)
            if length is not None and int(length) != recorded['len']:
                close = True  # cut short
            elif length is None and self.no_length and body:
                close = True
            else:
                length = str(len(body))
            if length is not None:
                headers['Content-Length'] = length
        return Answer(x['status'], headers, body, close)

    def finish(self):
        """The differences of the requests, with the exchanges that were not made."""
        with self.lock:
            made = self.position + (1 if self.times else 0)
            return self.differences + [f'missing request: {describe(x)}' for x in self.want[made:]]


def describe(x):
    """A recorded exchange on one line."""
    query = f'?{x["query"]}' if x.get('query') else ''
    return f'{x["listener"]} {x["method"]} {x["path"]}{query}'


class Runner:
    """Servers, working directory and command for one transcript; use as a context manager."""

    def __init__(self, recording, command, documented=None, reference=False):
        """documented: id -> {"reason", "expect"}; reference: the command is python-dxf."""
        self.recording, self.command = recording, os.path.abspath(command)
        self.documented, self.reference = documented or {}, reference
        self.script = None
        self.listeners = []
        self.directory = tempfile.mkdtemp(prefix='replay-dxf-')

    def __enter__(self):
        try:
            cwd = os.path.join(self.directory, 'cwd')
            os.makedirs(os.path.join(cwd, 'files'))
            for name, content in self.recording.files.items():
                with open(os.path.join(cwd, 'files', name), 'wb') as f:
                    f.write(content)
            tls = server.make_tls(self.directory)
            ports = {}
            for name, (is_tls, recorded) in self.recording.listeners.items():
                listener = server.Listener(name, tls if is_tls else None, self._serve)
                self.listeners.append(listener)
                ports.update({port: listener.port for port in recorded})
            self.home = os.path.join(self.directory, 'home')
            self.names = transcript.Names(ports, self.home)
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for listener in self.listeners:
            listener.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _serve(self, request):
        script = self.script
        return script(request) if script else Answer(599, {'Content-Length': '0'}, b'', True)

    def _environment(self, step):
        env = {k: v for k, v in os.environ.items() if KEPT_ENV.fullmatch(k)}
        env.update(PATH=os.environ.get('PATH', os.defpath), HOME=self.home, COLUMNS='80',
                   LANG='C.UTF-8')
        env.update({k: self.names.live_env(v) for k, v in step['env'].items()})
        return env

    def _fresh_home(self, step, env):
        """An empty home; if the step names a netrc there, its content follows from the recorded
        Authorization headers (host and Basic credentials)."""
        shutil.rmtree(self.home, ignore_errors=True)
        os.mkdir(self.home, 0o700)
        netrc = env.get('NETRC')
        if not netrc or not netrc.startswith(self.home + os.sep):
            return
        lines = {}
        for x in step['http']:
            scheme, _, value = x['headers'].get('Authorization', '').partition(' ')
            if scheme == 'Basic':
                user, _, password = b64decode(value).decode().partition(':')
                host = x['headers']['Host'].partition(':')[0]
                lines.setdefault(host, f'machine {host} login {user} password {password}\n')
        with open(netrc, 'w', encoding='utf-8', opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.writelines(lines.values())

    def _execute(self, step):
        """Run the command; (exit code or a sentence, stdout, stderr) as live bytes."""
        env = self._environment(step)
        self._fresh_home(step, env)
        argv = [self.command] + [self.names.live(a) for a in step['argv']]
        given = step.get('stdin')
        data = None
        if given is not None:
            data = transcript.body_bytes(given)
            if 'text' in given:
                data = self.names.live(given['text']).encode()
        terminal = None
        stderr = subprocess.PIPE
        if step.get('stderr_is_tty'):
            terminal, stderr = pty.openpty()
        with subprocess.Popen(argv, env=env, cwd=os.path.join(self.directory, 'cwd'),
                              stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=stderr,
                              start_new_session=True) as child:
            reader = None
            if terminal is not None:
                os.close(stderr)
                reader = _TerminalReader(terminal)
            timed_out = False
            try:
                out, err = child.communicate(data, timeout=STEP_SECONDS)
            except subprocess.TimeoutExpired:
                timed_out = True
                os.killpg(child.pid, signal.SIGKILL)
                out, err = child.communicate()
            if reader:
                err = reader.finish()
        if timed_out:
            return f'none: killed after {STEP_SECONDS} s', out, err
        return child.returncode, out, err

    def run(self, step):
        """One step -> Result."""
        entry = None if self.reference else self.documented.get(step['name'])
        reason = entry.get('reason', '') if isinstance(entry, dict) else ''
        try:
            want = transcript.expected(self.recording, step, entry)
        except transcript.TranscriptError as ex:
            return Result(step, 'failed', [str(ex)], reason=reason)
        self.script = Script(want, self.names, self.recording.files)
        code, out, err = self._execute(step)
        differences = []
        if code != want['exit']:
            differences.append(two_codes(want['exit'], code))
        for listener in self.listeners:
            if not listener.drain():
                differences.append(f'{listener.name}: connections still open after the exit')
        script, self.script = self.script, None
        rec = self.names.recorded
        if len(out) < 1 << 20:
            out = self.names.recorded_bytes(out)
        err = rec(err.decode('utf-8', 'backslashreplace'))
        differences += compare.bytes_differ('stdout', want['stdout'], out, script.signed)
        differences += compare.stderr_differs(want, err, self.reference)
        differences += script.finish()
        if differences and err:
            script.trace.append('stderr: ' + err.strip()[-600:])
        state = 'failed' if differences else 'documented' if entry is not None else 'passed'
        return Result(step, state, differences, script.trace, reason)


def two_codes(want, got):
    """The difference of two exit codes; a negative one is a signal."""
    if isinstance(got, int) and got < 0:
        got = f'signal {-got} ({signal.Signals(-got).name})'
    return f'exit code: expected {want}, got {got}'


class _TerminalReader:
    """Reads the master side of a pseudo terminal until its last user is gone."""

    def __init__(self, fd):
        self.fd, self.parts = fd, []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            while part := os.read(self.fd, 65536):
                self.parts.append(part)
        except OSError:
            pass  # EIO: no process has the terminal open any more

    def finish(self):
        """Everything that was written; the child must have ended."""
        self.thread.join(5)
        os.close(self.fd)
        return b''.join(self.parts)
